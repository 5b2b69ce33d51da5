import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tellCause } from './kustomize-cause.ts';
import { unwrapFailure } from './kustomize-failure.ts';

/** What upstream says, in a folder `app`: our code, and our words. */
function told(message: string): string {
  const { code, message: text } = tellCause(unwrapFailure(message, 'app'));
  return `${code}: ${text}`;
}

test('what is passed on of an error holds no object, patch, literal or value', () => {
  const canary = 'c4n4ry';
  const object = `{"apiVersion":"v1","kind":"Secret","metadata":{"name":"s","namespace":"n"},"data":{"p":"${canary}"}}`;
  for (const message of [
    `namespace transformation produces ID conflict: [${object} ${object}]`,
    `found multiple possible referrals: Secret.v1.[noGrp]/a.[noNs], Secret.v1.[noGrp]/b.[noNs]\n\n**** Too many possible referral targets to referrer:\n${canary}`,
    `updating name reference in 'spec/x' field of 'Pod.v1.[noGrp]/d.[noNs]': found multiple possible referrals: a, b\n${canary}`,
    `wrong node kind: expected MappingNode but got ScalarNode: node contents:\n${canary}`,
    `considering field 'x' of object Secret.v1.[noGrp]/s.[noNs]: wrong node kind: expected A but got B: node contents: ${canary}`,
    `roleRef cannot be found in ${canary}`,
    `empty item at [a b] in object ${canary}`,
    `map[string]interface {}{"p":"${canary}"}: json: unsupported type: map[interface {}]interface {}`,
    `map[string]interface {}(nil): yaml: cannot decode !!str \`${canary}\` as a !!int`,
    `yaml: unmarshal errors:\n  line 3: cannot unmarshal !!str \`${canary}\` into int`,
    `decoding ${canary}: invalid character 'c' looking for beginning of value`,
    `must specify a target for patch ${canary}`,
    `must specify a target for JSON patch [patch: "${canary}"]`,
    `unable to parse SM or JSON patch from [patch: "${canary}\\n\`: "]`,
    `illegally qualifies as both an SM and JSON patch: [patch: "${canary}"]`,
    `patch and path can't be set at the same time\npatch: ${canary}\n`,
    `must specify one of patch and path in\npatch: ${canary}\n`,
    `trouble configuring builtin PatchTransformer with config: \`\npatch: |-\n  ${canary}\n  \n\`: ${canary}\n\`: unable to parse SM or JSON patch from [patch: "${canary}"]`,
    `loading KV pairs: literal sources [a=${canary} ${canary}]: invalid literal source ${canary}, expected key=value`,
    `loading KV pairs: env source files: [s.env]: line [99] has invalid utf8 bytes : ${canary}`,
    `options.index 3 is out of bounds for value ${canary}`,
    `validator shouldn't modify the resource map: nodes unequal: \n -- ${object},\n`,
    `expected 1 resource, found 2 in [${canary}]`,
    `merging from generator &{0x1c0 <nil>}: ${object}`,
    `accumulating resources: accumulation err='accumulating resources from 'https://u:${canary}@h/x': Get "https://u:${canary}@h/x": remote fetch disabled: https://u:${canary}@h/x': no 'git' program on path`,
  ]) {
    const text = told(message);
    assert.equal(text.includes(canary), false, text);
    assert.doesNotMatch(text, /\n|&\{|0x|\[noGrp\]|: $/, text);
  }
});

test('of a chain of bases only the cause is told', () => {
  const inner = 'may not add resource with an already registered id: ConfigMap.v1.[noGrp]/a.b.shop';
  const chain = [
    "accumulating resources: accumulation err='accumulating resources from '../one': 'one' must resolve to a file'",
    "recursed accumulation of path 'one'",
    `accumulating components: accumulateDirectory: "recursed accumulation of path 'two': accumulating resources: accumulation err='merging resources from 'x.yaml': ${inner}': must build at directory: 'two/x.yaml': file is not directory"`,
  ].join(': ');

  assert.equal(told(chain), 'DuplicateObject: ConfigMap/a.b in shop is there twice');
  assert.deepEqual(unwrapFailure(chain, 'app'), { folder: 'two', entry: 'x.yaml', cause: inner });
});

test('names of objects are told as people write them', () => {
  assert.equal(
    told('nothing selected by Secret.[noVer].[noGrp]/absent.[noNs]'),
    'KustomizeInvalid: nothing selected by Secret/absent',
  );
  assert.equal(
    told('nothing selected by Deployment.v1.apps/web.prod'),
    'KustomizeInvalid: nothing selected by Deployment/web in prod',
  );
  assert.equal(
    told('nothing selected by Service|Deployment.[noVer].[noGrp]/[noName].[noNs]'),
    'KustomizeInvalid: nothing selected by Service|Deployment',
  );
  assert.equal(
    told('with the following GVK [Deployment.[noVer].[noGrp] StatefulSet.[noVer].[noGrp]]'),
    'KustomizeInvalid: with the following GVK [Deployment StatefulSet]',
  );
});

test('of a patch, what it patches or where it stands is told', () => {
  const id = 'Deployment.v1.apps/foo.[noNs]';

  assert.equal(
    told(`multiple matches for Id ${id}; failed to find unique target for patch ${id}`),
    'KustomizeInvalid: the patch matches more than one resource: Deployment/foo',
  );
  assert.equal(
    told(`no resource matches strategic merge patch "${id}": multiple matches for Id ${id}; failed to find`),
    'KustomizeInvalid: the patch matches more than one resource: Deployment/foo',
  );
  assert.equal(
    told(`no resource matches strategic merge patch "${id}": no matches for Id ${id}; failed to find`),
    'KustomizeInvalid: the patch matches no resource: Deployment/foo',
  );
  assert.equal(
    told('patch appears to be empty; files=[a.yaml b.yaml], Patch='),
    'KustomizeInvalid: a patch is empty: a.yaml',
  );
  assert.equal(
    told('patch appears to be empty; files=[], Patch='),
    'KustomizeInvalid: a patch is empty: an inline one',
  );
});

test('what is not known is passed on, on one line and not without end', () => {
  assert.equal(told('something new: went  wrong'), 'KustomizeInvalid: something new: went wrong');
  assert.ok(told('x'.repeat(5000)).length < 400);
});
