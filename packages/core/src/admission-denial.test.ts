import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatAdmissionDenial, readAdmissionDenial } from './admission-denial.ts';

test('the denial of a ValidatingAdmissionPolicy is read from the words of the API server', () => {
  const message =
    "deployments.apps \"x\" is forbidden: ValidatingAdmissionPolicy 'replicas' with binding 'all' denied request: failed expression: object.spec.replicas <= 5";

  assert.deepEqual(readAdmissionDenial(message), {
    policy: 'replicas',
    binding: 'all',
    message: 'failed expression: object.spec.replicas <= 5',
  });
  assert.equal(readAdmissionDenial('admission webhook "x" denied the request: no'), undefined);
});

test('what a policy says is read whole, whatever it quotes, and said with its name', () => {
  const name = fc.stringMatching(/^[a-z0-9]([-a-z0-9]{0,20}[a-z0-9])?$/);
  fc.assert(
    fc.property(name, name, fc.string({ unit: 'grapheme' }), (policy, binding, said) => {
      const words = `apply X/x: x "x" is forbidden: ValidatingAdmissionPolicy '${policy}' with binding '${binding}' denied request: ${said}`;

      const denial = readAdmissionDenial(words);

      assert.deepEqual(denial, { policy, binding, message: said.trim() });
      assert.equal(
        formatAdmissionDenial(denial),
        `denied by the ValidatingAdmissionPolicy ${policy} (binding ${binding}): ${said.trim()}`,
      );
    }),
  );
});
