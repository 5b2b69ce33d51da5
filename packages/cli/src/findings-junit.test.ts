import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Finding, ValidationReport } from './finding.ts';
import { findingsJunit } from './findings-junit.ts';

function reportOf(findings: readonly Finding[], name: string): ValidationReport {
  return {
    path: 'app',
    environment: undefined,
    objects: [{ ref: { group: '', kind: 'Pod', namespace: 'shop', name }, origin: { file: `${name}.yaml`, line: 1 } }],
    findings,
    rules: [],
    policies: { ok: 0, warn: 0, deny: 0 },
    unknownKinds: [],
  };
}

test('whatever findings say, the result is XML 1.0 that is closed where it was opened', () => {
  const text = fc.string({ unit: 'binary', maxLength: 12 });
  const finding = fc.record({
    rule: text,
    severity: fc.constantFrom('error', 'deny', 'warning'),
    message: text,
    fix: text,
    where: fc.constantFrom(undefined, { file: 'a"<&.yaml', line: 3 }),
    index: fc.constantFrom(undefined, 0),
    field: text,
  });

  fc.assert(
    fc.property(fc.array(finding, { maxLength: 4 }), text, (findings, name) => {
      const xml = findingsJunit(reportOf(findings, name));

      // eslint-disable-next-line no-control-regex -- what XML cannot hold
      assert.doesNotMatch(xml, /[\u0000-\u0008\u000b\u000c\u000e-\u001f]/);
      const open: string[] = [];
      const rest = xml
        .replace(/^<\?xml[^>]*\?>/, '')
        .replaceAll(
          /<(\/?)([a-z-]+)((?: [a-z]+="[^"<>]*")*)(\/?)>/g,
          (_, closes: string, tag: string, _attributes, empty: string) => {
            if (closes === '/') assert.equal(open.pop(), tag);
            else if (empty === '') open.push(tag);
            return '';
          },
        );
      assert.deepEqual(open, []);
      assert.doesNotMatch(rest, /[<>]|&(?!amp;|lt;|gt;|quot;)/);
    }),
  );
});
