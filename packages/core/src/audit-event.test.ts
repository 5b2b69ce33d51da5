import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readAuditEvent, readAuditEvents } from './audit-event.ts';

/** As an API server of 1.37 writes it at the level Metadata. */
const EVENT = {
  kind: 'Event',
  apiVersion: 'audit.k8s.io/v1',
  level: 'Metadata',
  auditID: '9c0aa0b4-0000-4000-8000-000000000001',
  stage: 'ResponseComplete',
  requestURI: '/apis/apps/v1/namespaces/shop/deployments/web?fieldManager=kubectl-edit&fieldValidation=Strict',
  verb: 'patch',
  user: { username: 'admin', groups: ['system:masters'] },
  impersonatedUser: { username: 'j.doe', groups: ['system:authenticated'] },
  sourceIPs: ['10.0.0.7', '10.0.0.1'],
  userAgent: 'kubectl/v1.37.0 (linux/amd64)',
  objectRef: { resource: 'deployments', namespace: 'shop', name: 'web', apiGroup: 'apps', apiVersion: 'v1' },
  responseStatus: { metadata: {}, code: 200 },
  requestReceivedTimestamp: '2026-01-01T10:00:00.250000Z',
  stageTimestamp: '2026-01-01T10:00:00.300000Z',
};
const LIST = { kind: 'EventList', apiVersion: 'audit.k8s.io/v1', metadata: {}, items: [EVENT] };

const READ = {
  auditId: '9c0aa0b4-0000-4000-8000-000000000001',
  verb: 'patch',
  user: 'j.doe',
  impersonator: 'admin',
  address: '10.0.0.7',
  agent: 'kubectl/v1.37.0 (linux/amd64)',
  manager: 'kubectl-edit',
  group: 'apps',
  resource: 'deployments',
  namespace: 'shop',
  name: 'web',
  receivedMs: Date.parse('2026-01-01T10:00:00.250Z'),
  completedMs: Date.parse('2026-01-01T10:00:00.300Z'),
} as const;

test('an event says who wrote which object, from where, with what, and as which manager', () => {
  assert.deepEqual(readAuditEvent(EVENT), READ);
});

test('without the parameter the manager is the head of the user agent, as the API server has it', () => {
  const { impersonatedUser: _none, ...own } = EVENT;

  const event = readAuditEvent({ ...own, requestURI: '/apis/apps/v1/namespaces/shop/deployments/web' });

  assert.equal(event?.manager, 'kubectl');
  assert.deepEqual([event?.user, event?.impersonator], ['admin', undefined]);
});

test('of a collection it is known whether a selector chose', () => {
  const { name: _name, ...objectRef } = EVENT.objectRef;
  const all = {
    ...EVENT,
    verb: 'deletecollection',
    objectRef,
    requestURI: '/apis/apps/v1/namespaces/shop/deployments',
  };

  assert.deepEqual([readAuditEvent(all)?.name, readAuditEvent(all)?.isSelective], ['', undefined]);
  assert.equal(readAuditEvent({ ...all, requestURI: `${all.requestURI}?labelSelector=a%3Db` })?.isSelective, true);
});

for (const [what, change] of Object.entries({
  'a read': { verb: 'get' },
  'a request that is not answered yet': { stage: 'RequestReceived' },
  'a refusal': { responseStatus: { code: 403 } },
  'a dry run': { requestURI: `${EVENT.requestURI}&dryRun=All` },
  'a request without an object': { objectRef: undefined },
  'a creation whose name is not known': { verb: 'create', objectRef: { resource: 'configmaps', namespace: 'shop' } },
  'an event without a time': { stageTimestamp: 'yesterday' },
  'an event that ended before it began': { stageTimestamp: '2026-01-01T09:00:00Z' },
  'an event without a user': { user: {} },
  'a name that Kubernetes does not know': { objectRef: { ...EVENT.objectRef, name: 'a'.repeat(513) } },
})) {
  test(`${what} is no write`, () => assert.equal(readAuditEvent({ ...EVENT, ...change }), undefined));
}

test('what a webhook gets, what a log holds, and one event alone are all read', () => {
  const line = JSON.stringify(EVENT);

  assert.deepEqual(readAuditEvents(JSON.stringify(LIST)), [READ]);
  assert.deepEqual(readAuditEvents(line), [READ]);
  assert.deepEqual(readAuditEvents(`${line}\n${line.slice(0, 99)}\n\n${line}\n`), [READ, READ]);
});

test('what is not of an audit is told apart from an audit of which nothing counts', () => {
  assert.deepEqual(readAuditEvents(JSON.stringify({ ...LIST, items: null })), []);
  for (const other of ['', '[]', 'null', '{}', '{"kind":"EventList","apiVersion":"v1","items":[]}', 'a\nb\n']) {
    assert.equal(readAuditEvents(other), undefined);
  }
});

test('nothing that is sent breaks the reading, and no text that comes of it is longer than its limit', () => {
  const fields = Object.keys(EVENT);
  fc.assert(
    fc.property(fc.constantFrom(...fields), fc.jsonValue(), fc.string({ maxLength: 2_000 }), (field, value, agent) => {
      const read = readAuditEvents(
        JSON.stringify({ ...LIST, items: [{ ...EVENT, userAgent: agent, [field]: value }] }),
      );

      for (const event of read ?? []) {
        for (const text of Object.values(event)) if (typeof text === 'string') assert.ok(text.length <= 512);
      }
    }),
  );
  fc.assert(fc.property(fc.jsonValue(), (value) => void readAuditEvents(JSON.stringify(value))));
  fc.assert(fc.property(fc.string(), (text) => void readAuditEvents(text)));
});
