import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatChange, formatChanges } from './change-text.ts';
import { SECRET_VALUE, type FieldChange } from './diff.ts';

const app = 'spec.template.spec.containers[name="app"]';
const side = 'spec.template.spec.containers[name="side"]';
const sha = (digit: string) => `sha256:${digit.repeat(64)}`;

const cases: readonly (readonly [string, FieldChange])[] = [
  ['image 1.4.2 → 1.4.3', { path: `${app}.image`, before: 'r:5000/shop/api:1.4.2', after: 'r:5000/shop/api:1.4.3' }],
  ['image shop/api:1 → shop/web:1', { path: `${app}.image`, before: 'shop/api:1', after: 'shop/web:1' }],
  ['image api → api:2', { path: `${app}.image`, before: 'api', after: 'api:2' }],
  [
    'image 1@sha256:aaaaaaaaaaaa → 2@sha256:bbbbbbbbbbbb',
    { path: `${app}.image`, before: `api:1@${sha('a')}`, after: `api:2@${sha('b')}` },
  ],
  ['limits.memory 512Mi → 256Mi', { path: `${app}.resources.limits.memory`, before: '512Mi', after: '256Mi' }],
  ['resources added', { path: `${app}.resources`, after: { limits: {} } }],
  ['env LOG_LEVEL info → debug', { path: `${app}.env[name="LOG_LEVEL"].value`, before: 'info', after: 'debug' }],
  [
    'env LOG_LEVEL set to debug',
    { path: `${app}.env[name="LOG_LEVEL"]`, after: { name: 'LOG_LEVEL', value: 'debug' } },
  ],
  [
    'env LOG_LEVEL removed (was info)',
    { path: `${app}.env[name="LOG_LEVEL"]`, before: { name: 'LOG_LEVEL', value: 'info' } },
  ],
  ['env KEY added', { path: `${app}.env[name="KEY"]`, after: { name: 'KEY', valueFrom: { secretKeyRef: {} } } }],
  ['env KEY valueFrom added', { path: `${app}.env[name="KEY"].valueFrom`, after: { secretKeyRef: {} } }],
  ['args ["-v"] → []', { path: `${app}.args`, before: ['-v'], after: [] }],
  ['replicas 2 → 6', { path: 'spec.replicas', before: 2, after: 6 }],
  ['containers[name="side"] added', { path: side, after: { name: 'side' } }],
  [
    'label app.kubernetes.io/name a → b',
    { path: 'metadata.labels["app.kubernetes.io/name"]', before: 'a', after: 'b' },
  ],
  ['annotation note removed (was x)', { path: 'metadata.annotations.note', before: 'x' }],
  ['data LOG_LEVEL info → debug', { path: 'data.LOG_LEVEL', before: 'info', after: 'debug' }],
  ['data app.yaml (2 lines) → (3 lines)', { path: 'data["app.yaml"]', before: 'a\nb\n', after: 'a\nb\nc\n' }],
  ['data note "" → " x"', { path: 'data.note', before: '', after: ' x' }],
  ['data password changed (secret)', { path: 'data.password', before: SECRET_VALUE, after: SECRET_VALUE }],
  [`data note ${'a'.repeat(39)}… → b`, { path: 'data.note', before: 'a'.repeat(60), after: 'b' }],
  ['rules[0].host a → b', { path: 'spec.rules[0].host', before: 'a', after: 'b' }],
  ['schedule 1 → 2', { path: 'spec.schedule', before: '1', after: '2' }],
  [
    'image 1 → 2',
    { path: 'spec.jobTemplate.spec.template.spec.initContainers[name="x"].image', before: 'a:1', after: 'a:2' },
  ],
];

for (const [expected, change] of cases) {
  test(`a change reads "${expected}"`, () => {
    assert.equal(formatChange(change), expected);
  });
}

test('containers are named where the changes touch several', () => {
  const lines = formatChanges([
    { path: `${app}.image`, before: 'a:1', after: 'a:2' },
    { path: `${side}.image`, before: 'b:1', after: 'b:2' },
    { path: 'spec.replicas', before: 1, after: 2 },
  ]);

  assert.deepEqual(lines, ['app: image 1 → 2', 'side: image 1 → 2', 'replicas 1 → 2']);
});
