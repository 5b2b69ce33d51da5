import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ErrorCode } from '@plumb/core';
import { statusError, statusObjectError } from './status-error.ts';

interface Case {
  readonly name: string;
  readonly status: number;
  readonly body: object | string;
  readonly code: ErrorCode;
  readonly field?: string;
  /** What follows `apply X/x in shop: `. */
  readonly words?: string | RegExp;
}

const TYPED = 'failed to create typed patch object (/x; apps/v1, Kind=Deployment): ';

// The bodies are those of Kubernetes 1.37, shortened.
const CASES: readonly Case[] = [
  { name: 'refused credentials', status: 401, body: { message: 'Unauthorized' }, code: 'ClusterUnauthorized' },
  {
    name: 'a missing right, in the sentence of the authoriser',
    status: 403,
    body: {
      message:
        'configmaps "a" is forbidden: User "bob" cannot get resource "configmaps" in API group "" in the namespace "default"',
    },
    code: 'Forbidden',
    words: /User "bob" cannot get resource "configmaps"/,
  },
  {
    name: 'rights that cannot be given away',
    status: 403,
    body: {
      message:
        'roles.rbac.authorization.k8s.io "x" is forbidden: user "bob" (groups=["system:authenticated"]) is attempting to grant RBAC permissions not currently held:\n{APIGroups:[""]}',
    },
    code: 'Forbidden',
  },
  {
    name: 'a webhook that denies',
    status: 403,
    body: { message: 'admission webhook "policy.example.dev" denied the request: no latest tags' },
    code: 'AdmissionDenied',
    words: /no latest tags/,
  },
  {
    name: 'a webhook that denies with its own status',
    status: 400,
    body: { message: 'admission webhook "policy.example.dev" denied the request: no latest tags' },
    code: 'AdmissionDenied',
  },
  {
    name: 'a policy that denies',
    status: 422,
    body: {
      message:
        "deployments.apps \"x\" is forbidden: ValidatingAdmissionPolicy 'replicas' with binding 'all' denied request: failed expression: object.spec.replicas <= 5",
    },
    code: 'AdmissionDenied',
  },
  {
    name: 'pod security',
    status: 403,
    body: { message: 'pods "x" is forbidden: violates PodSecurity "restricted:latest": privileged' },
    code: 'AdmissionDenied',
  },
  {
    name: 'a used-up quota',
    status: 403,
    body: { message: 'pods "x" is forbidden: exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1' },
    code: 'QuotaExceeded',
  },
  {
    name: 'a namespace that ends',
    status: 403,
    body: {
      message:
        'configmaps "a" is forbidden: unable to create new content in namespace shop because it is being terminated',
      details: { causes: [{ reason: 'NamespaceTerminating', message: 'namespace shop is being terminated' }] },
    },
    code: 'NamespaceTerminating',
  },
  {
    name: 'a missing namespace',
    status: 404,
    body: { message: 'namespaces "nope" not found', reason: 'NotFound', details: { name: 'nope', kind: 'namespaces' } },
    code: 'NamespaceMissing',
  },
  {
    name: 'a missing object',
    status: 404,
    body: { message: 'configmaps "a" not found', reason: 'NotFound', details: { name: 'a', kind: 'configmaps' } },
    code: 'NotFound',
  },
  { name: 'a missing group', status: 404, body: '404 page not found\n', code: 'KindMissing' },
  {
    name: 'a missing kind',
    status: 404,
    body: { message: 'the server could not find the requested resource', reason: 'NotFound', details: {} },
    code: 'KindMissing',
  },
  {
    name: 'fields of other managers',
    status: 409,
    body: {
      message: 'Apply failed with 3 conflicts',
      reason: 'Conflict',
      details: {
        causes: [
          {
            reason: 'FieldManagerConflict',
            message: 'conflict with "hpa" with subresource "scale"',
            field: '.spec.replicas',
          },
          { reason: 'FieldManagerConflict', message: 'conflict with "kubectl"', field: '.data.a' },
          {
            reason: 'FieldManagerConflict',
            message: 'conflict with "kubectl"',
            field: '.spec.containers[name="a"].image',
          },
        ],
      },
    },
    code: 'FieldConflict',
    field: 'spec.replicas',
    words: '"hpa" with subresource "scale" owns spec.replicas; "kubectl" owns data.a, spec.containers[name="a"].image',
  },
  {
    name: 'another uid',
    status: 409,
    body: {
      message: 'Operation cannot be fulfilled: the UID in the precondition (a) does not match',
      reason: 'Conflict',
    },
    code: 'Conflict',
  },
  {
    name: 'a state that is too old',
    status: 410,
    body: { message: 'too old resource version: 1 (2)' },
    code: 'Expired',
  },
  { name: 'a body that is too large', status: 413, body: { message: 'Request entity too large' }, code: 'TooLarge' },
  {
    name: 'an object that is too large for etcd',
    status: 500,
    body: { message: 'etcdserver: request is too large' },
    code: 'TooLarge',
  },
  {
    name: 'a value that is too long',
    status: 422,
    body: {
      message: 'ConfigMap "x" is invalid: []: Too long: may not be more than 1048576 bytes',
      details: {
        causes: [{ reason: 'FieldValueTooLong', message: 'Too long: may not be more than 1048576 bytes', field: '[]' }],
      },
    },
    code: 'TooLarge',
  },
  {
    name: 'a quantity that is none',
    status: 500,
    body: {
      message:
        "failed to convert new object (shop/app; apps/v1, Kind=Deployment) to proper version: unable to convert unstructured object to apps/v1, Kind=Deployment: quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
    },
    code: 'FieldInvalid',
  },
  {
    name: 'a webhook that knows no dry-runs',
    status: 400,
    body: { message: 'admission webhook "policy.example.com" does not support dry run' },
    code: 'DryRunUnsupported',
  },
  {
    name: 'an immutable field',
    status: 422,
    body: {
      message: 'Deployment.apps "x" is invalid: spec.selector: Invalid value: {}: field is immutable',
      details: {
        causes: [
          { reason: 'FieldValueInvalid', message: 'Invalid value: {}: field is immutable', field: 'spec.selector' },
        ],
      },
    },
    code: 'FieldImmutable',
    field: 'spec.selector',
    words: 'spec.selector: Invalid value: {}: field is immutable',
  },
  {
    name: 'the spec of a StatefulSet',
    status: 422,
    body: {
      message: 'StatefulSet.apps "x" is invalid: spec: Forbidden',
      details: {
        causes: [
          {
            reason: 'FieldValueForbidden',
            message: "Forbidden: updates to statefulset spec for fields other than 'replicas' are forbidden",
            field: 'spec',
          },
        ],
      },
    },
    code: 'FieldImmutable',
    field: 'spec',
  },
  {
    name: 'a value that is not allowed',
    status: 422,
    body: {
      message: 'Deployment.apps "x" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0',
      details: { causes: [{ reason: 'FieldValueInvalid', message: 'Invalid value: -1', field: 'spec.replicas' }] },
    },
    code: 'FieldInvalid',
    field: 'spec.replicas',
  },
  {
    name: 'a field of the wrong type, which comes as 500',
    status: 500,
    body: { message: `${TYPED}.data.a: expected string, got &value.valueUnstructured{Value:1}` },
    code: 'FieldInvalid',
    field: 'data.a',
    words: 'data.a: expected string, got 1',
  },
  {
    name: 'a mapping where a text should be',
    status: 500,
    body: {
      message: `${TYPED}.data.a: expected string, got &value.valueUnstructured{Value:map[string]interface {}{"b":"c"}}`,
    },
    code: 'FieldInvalid',
    field: 'data.a',
    words: 'data.a: expected string, got a mapping',
  },
  {
    name: 'several wrong fields at once',
    status: 500,
    body: {
      message: `${TYPED}errors:\n  .spec.replicas: expected numeric (int or float), got string\n  .spec.template.spec.containers[name="a"].x: field not declared in schema`,
    },
    code: 'FieldInvalid',
    field: 'spec.replicas',
    words:
      'spec.replicas: expected numeric (int or float), got string; spec.template.spec.containers[name="a"].x: the schema has no such field',
  },
  {
    name: 'an unknown field',
    status: 500,
    body: { message: `${TYPED}.spec.template.spec.containers[name="a"].imagee: field not declared in schema` },
    code: 'FieldUnknown',
    field: 'spec.template.spec.containers[name="a"].imagee',
  },
  {
    name: 'unknown fields, found by strict decoding',
    status: 400,
    body: { message: 'strict decoding error: unknown field "spec.a", duplicate field "spec.b"', reason: 'BadRequest' },
    code: 'FieldUnknown',
    field: 'spec.a',
    words: 'unknown field spec.a, duplicate field spec.b',
  },
  {
    name: 'two entries with one key',
    status: 500,
    body: { message: `${TYPED}.spec.template.spec.containers[name="a"].env: duplicate entries for key [name="A"]` },
    code: 'DuplicateListKey',
    field: 'spec.template.spec.containers[name="a"].env',
  },
  {
    name: 'base64 that is none',
    status: 500,
    body: {
      message:
        'failed to convert new object (/a; /v1, Kind=Secret) to proper version: error decoding from json: illegal base64',
    },
    code: 'FieldInvalid',
  },
  {
    name: 'too many requests',
    status: 429,
    body: { message: 'Too many requests, please try again later.' },
    code: 'TooManyRequests',
  },
  { name: 'too many requests, in plain text', status: 429, body: 'slow down', code: 'TooManyRequests' },
  {
    name: 'a broken server',
    status: 500,
    body: { message: 'Internal error occurred: failed calling webhook' },
    code: 'ServerError',
  },
  { name: 'a broken gateway', status: 502, body: '<html>Bad Gateway</html>', code: 'ServerError' },
  { name: 'a login page', status: 302, body: '<html>Log in</html>', code: 'ResponseInvalid' },
];

for (const { name, status, body, code, field, words } of CASES) {
  test(`reads ${name} as ${code}`, () => {
    const error = statusError(reply(status, body), { verb: 'apply', subject: 'X/x in shop' });

    assert.equal(error.code, code);
    assert.equal(error.field, field);
    assert.equal(error.subject, 'X/x in shop');
    assert.ok(error.message.startsWith('apply X/x in shop: '));
    if (typeof words === 'string') assert.equal(error.message, `apply X/x in shop: ${words}`);
    if (words instanceof RegExp) assert.match(error.message, words);
  });
}

test('passes on no words that may quote a Secret, but the names of fields, users and managers', () => {
  const secret = { verb: 'apply', subject: 'Secret/x in shop', secret: true };
  const quoting = [
    reply(500, {
      message: `${TYPED}.stringData.a: expected string, got &value.valueUnstructured{Value:map[x:hunter2]}`,
    }),
    reply(500, { message: 'failed to convert new object: hunter2' }),
    reply(422, {
      message: 'Secret "x" is invalid: data[a]: Invalid value: "hunter2"',
      details: { causes: [{ reason: 'FieldValueInvalid', message: 'Invalid value: "hunter2"', field: 'data[a]' }] },
    }),
    reply(400, { message: 'bad request: hunter2' }),
    reply(403, { message: 'admission webhook "w" denied the request: hunter2' }),
    reply(502, 'hunter2'),
  ];

  for (const answer of quoting) {
    const error = statusError(answer, secret);
    assert.doesNotMatch(JSON.stringify([error.message, error.toRecord(), error.stack, error.cause]), /hunter2/);
  }
  assert.equal(statusError(quoting[2] ?? reply(500, ''), secret).field, 'data[a]');
  const denied = statusError(
    reply(422, {
      message: `secrets "x" is forbidden: ValidatingAdmissionPolicy 'short' with binding 'all' denied request: not hunter2`,
    }),
    secret,
  );
  assert.match(
    denied.message,
    /ValidatingAdmissionPolicy 'short' with binding 'all' denied request: its words are withheld/,
  );
  assert.doesNotMatch(denied.message, /hunter2/);
  const forbidden = statusError(
    reply(403, { message: 'secrets "x" is forbidden: User "bob" cannot patch resource' }),
    secret,
  );
  assert.match(forbidden.message, /User "bob" cannot patch/);
});

test('carries the time that the server asks to wait', () => {
  const error = statusError({ ...reply(429, {}), headers: { 'retry-after': '3' } }, { verb: 'get', subject: 'X/x' });

  assert.equal(error.retryAfterMs, 3000);
});

test('reads the Status of an ERROR event', () => {
  const status = { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version' };

  assert.equal(statusObjectError(status, { verb: 'watch', subject: 'pods' }).code, 'Expired');
});

function reply(status: number, body: object | string) {
  const text = typeof body === 'string' ? body : JSON.stringify({ kind: 'Status', status: 'Failure', ...body });
  return {
    status,
    headers: { 'content-type': typeof body === 'string' ? 'text/plain' : 'application/json' },
    body: Buffer.from(text),
  };
}
