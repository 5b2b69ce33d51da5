import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  attributeChange,
  attributeDeletion,
  attributeFields,
  attributionText,
  type Attribution,
  type ChangeEvidence,
} from './attribution.ts';
import type { AuditEvent } from './audit-event.ts';
import { TOUCHED_AS_ANNOTATION, TOUCHED_BY_ANNOTATION } from './edit-stamp.ts';
import type { FieldOwner, LostField } from './managed-fields.ts';
import type { KubeObject } from './object.ts';

const OURS_AT = '2026-01-01T09:00:00Z';
const AT = '2026-01-01T10:00:00Z';
const ms = (time: string): number => Date.parse(time);

const edit: FieldOwner = { manager: 'kubectl-edit', operation: 'Update', time: AT };
const image: LostField = { path: [{ field: 'spec' }, { field: 'image' }], managers: [edit] };
const removed: LostField = { path: [{ field: 'spec' }, { field: 'paused' }], managers: [] };

function object(stamp?: { readonly by: string; readonly as: string }): KubeObject {
  const annotations = stamp && { [TOUCHED_BY_ANNOTATION]: stamp.by, [TOUCHED_AS_ANNOTATION]: stamp.as };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      name: 'web',
      ...(annotations === undefined ? {} : { annotations }),
      managedFields: [{ manager: 'plumb', operation: 'Apply', time: OURS_AT, fieldsV1: {} }],
    },
  };
}

function event(facts: Partial<AuditEvent> = {}): AuditEvent {
  return {
    auditId: 'id-1',
    verb: 'patch',
    user: 'j.doe',
    address: '10.0.0.7',
    agent: 'kubectl/v1.37.0 (linux/amd64)',
    manager: 'kubectl-edit',
    group: 'apps',
    resource: 'deployments',
    namespace: 'shop',
    name: 'web',
    receivedMs: ms(AT) + 200,
    completedMs: ms(AT) + 250,
    ...facts,
  };
}

function told(fields: readonly LostField[], evidence: Partial<ChangeEvidence> = {}): Attribution {
  return attributeChange(fields, { object: object(), isStamped: true, events: [], ...evidence });
}

/** Which tier, and whom it names. */
const brief = ({ tier, user }: Attribution): string => (user === undefined ? tier : `${tier} ${user}`);
const stampedAs = (as: string, by = 'j.doe'): Partial<ChangeEvidence> => ({ object: object({ by, as }) });

test('managedFields alone name the manager, its operation and the time, and no user', () => {
  assert.deepEqual(told([image]), { tier: 'manager', manager: 'kubectl-edit', operation: 'Update', time: AT });
});

test('a field that is gone, and no change at all, are of nobody', () => {
  assert.deepEqual([told([removed]), told([])], [{ tier: 'none' }, { tier: 'none' }]);
});

const asEdit = `Update ${AT} kubectl-edit`;

test('a stamp of the write that the owner has from adds the user', () => {
  assert.deepEqual(told([image], stampedAs(`100 - ${asEdit}`)), {
    tier: 'stamp',
    user: 'j.doe',
    manager: 'kubectl-edit',
    operation: 'Update',
    time: AT,
  });
});

for (const [what, as, version, expected] of [
  ['of another manager: a later writer has overwritten it', `100 - Update ${AT} kubectl-annotate`, '100', 'manager'],
  ['of another operation', `100 - Apply ${AT} kubectl-edit`, '100', 'manager'],
  [
    'of an earlier write as that manager: a later one had no stamp',
    `100 - Update ${OURS_AT} kubectl-edit`,
    '100',
    'manager',
  ],
  ['of a write before the state that was good', `90 - ${asEdit}`, '100', 'manager'],
  ['where another user wrote as that manager after that state', `110 105 ${asEdit}`, '100', 'manager'],
  ['where another user wrote as that manager right after that state', `110 100 ${asEdit}`, '100', 'manager'],
  [
    'where another user wrote as that manager some time, and it is not known when',
    `110 90 ${asEdit}`,
    undefined,
    'manager',
  ],
  ['where another user wrote as that manager before that state only', `110 90 ${asEdit}`, '100', 'stamp j.doe'],
  ['of the very next write', `100 100 ${asEdit}`, '100', 'stamp j.doe'],
  ['of one who alone has written as that manager', `110 - ${asEdit}`, '100', 'stamp j.doe'],
  ['of who created the object', `- - ${asEdit}`, undefined, 'stamp j.doe'],
  ['in a cluster whose versions are no numbers', `b a ${asEdit}`, 'a', 'manager'],
] as const) {
  test(`a stamp ${what}: ${expected}`, () => {
    assert.equal(brief(told([image], { ...stampedAs(as), known: { version } })), expected);
  });
}

test('where the policy is not in force a stamp may be anybody’s, and counts for nothing', () => {
  assert.equal(brief(told([image], { ...stampedAs(`100 - ${asEdit}`), isStamped: false })), 'manager');
});

test('who removed a field is told by a stamp of the very next write only', () => {
  const as = '100 - Update - kubectl-patch';

  assert.deepEqual(told([removed], { ...stampedAs(as), known: { version: '100' } }), {
    tier: 'stamp',
    user: 'j.doe',
    manager: 'kubectl-patch',
    operation: 'Update',
  });
  assert.equal(brief(told([removed], { ...stampedAs(as), known: { version: '99' } })), 'none');
  assert.equal(brief(told([removed], stampedAs(as))), 'none');
});

test('an audit event of that manager at that time tells the request, and wins over a stamp', () => {
  const evidence = { ...stampedAs(`100 - ${asEdit}`, 'a.user'), events: [event({ impersonator: 'admin' })] };

  assert.deepEqual(told([image], evidence), {
    tier: 'audit',
    user: 'j.doe',
    impersonator: 'admin',
    manager: 'kubectl-edit',
    operation: 'Update',
    time: '2026-01-01T10:00:00.200Z',
    verb: 'patch',
    address: '10.0.0.7',
    agent: 'kubectl/v1.37.0 (linux/amd64)',
    auditId: 'id-1',
  });
});

const other = { user: 'a.user', auditId: 'id-2' };
const before = (seconds: number): Partial<AuditEvent> => ({
  receivedMs: ms(AT) - seconds * 1_000,
  completedMs: ms(AT) - seconds * 1_000 + 50,
});

for (const [what, events, expected] of [
  ['as another manager', [event({ manager: 'helm' })], 'manager'],
  ['a minute before', [event(before(60))], 'manager'],
  ['a minute after', [event(before(-60))], 'manager'],
  ['through the status', [event({ subresource: 'status' })], 'manager'],
  ['of two users at that time', [event(), event(other)], 'manager'],
  ['of another user before, as the same manager', [event({ ...other, ...before(60) }), event()], 'manager'],
  ['of another user before we had the field', [event({ ...other, ...before(4_000) }), event()], 'audit j.doe'],
  ['of another user as another manager', [event({ ...other, manager: 'helm' }), event()], 'audit j.doe'],
  ['of the same user twice', [event(before(60)), event()], 'audit j.doe'],
] as const) {
  test(`audit events ${what}: ${expected}`, () => assert.equal(brief(told([image], { events })), expected));
}

test('who removed a field is told by the audit where one user alone has written since', () => {
  assert.equal(brief(told([removed], { events: [event({ manager: 'kubectl-patch' })] })), 'audit j.doe');
  assert.equal(brief(told([removed], { events: [event(), event({ ...other, manager: 'helm' })] })), 'none');
});

test('a scaling leaves an owner without a time: the audit names who did it, where that is clear', () => {
  const scaled: LostField = {
    path: image.path,
    managers: [{ manager: 'kubectl', operation: 'Update', time: undefined }],
  };
  const scale = event({ manager: 'kubectl', subresource: 'scale' });

  assert.equal(brief(told([scaled], { events: [scale] })), 'audit j.doe');
  assert.equal(brief(told([scaled], { events: [scale, { ...scale, ...other }] })), 'manager');
  assert.equal(brief(told([scaled], stampedAs('100 - Update - kubectl'))), 'manager');
});

test('each author has the fields that are theirs, the latest first', () => {
  const helm: FieldOwner = { manager: 'helm', operation: 'Update', time: OURS_AT };
  const replicas: LostField = { path: [{ field: 'spec' }, { field: 'replicas' }], managers: [helm] };
  const evidence: ChangeEvidence = { object: object(), isStamped: false, events: [] };

  const found = attributeFields([replicas, removed, image], evidence);

  assert.deepEqual(
    found.map(({ attribution, fields }) => [attributionText(attribution), fields]),
    [
      ['unknown user, manager kubectl-edit', [image]],
      ['unknown user, manager helm', [replicas]],
      ['unknown', [removed]],
    ],
  );
});

const deletion = (facts: Partial<AuditEvent> = {}): AuditEvent =>
  event({ verb: 'delete', manager: 'kubectl', ...facts });
const collection = (facts: Partial<AuditEvent> = {}): AuditEvent =>
  deletion({ verb: 'deletecollection', name: '', ...facts });

for (const [what, events, expected] of [
  ['without an event', [], 'none'],
  ['by one', [deletion()], 'audit j.doe'],
  ['by two', [deletion(), deletion(other)], 'none'],
  ['before we made it anew', [deletion(before(4_000))], 'none'],
  ['of something in it', [deletion({ subresource: 'scale' })], 'none'],
  ['with all of its kind', [collection()], 'audit j.doe'],
  ['by one, and of its kind by another', [deletion(), collection(other)], 'audit j.doe'],
  ['of a part of its kind', [collection({ isSelective: true })], 'none'],
  ['told by a change only', [event()], 'none'],
] as const) {
  test(`a deletion ${what}: ${expected}`, () => {
    assert.equal(brief(attributeDeletion(events, { sinceMs: ms(OURS_AT) })), expected);
  });
}

test('the words say what is not known', () => {
  const says = (attribution: Attribution): string => attributionText(attribution);

  assert.equal(says({ tier: 'none' }), 'unknown');
  assert.equal(says({ tier: 'manager', manager: 'kubectl-edit' }), 'unknown user, manager kubectl-edit');
  assert.equal(says({ tier: 'stamp', user: 'j.doe', manager: 'kubectl-edit' }), 'j.doe (kubectl-edit)');
  assert.equal(
    says({ tier: 'audit', user: 'j.doe', agent: 'kubectl/v1.37.0 (linux/amd64)' }),
    'j.doe (kubectl/v1.37.0)',
  );
  assert.equal(says({ tier: 'audit', user: 'j.doe', impersonator: 'admin' }), 'j.doe, impersonated by admin');
});

/**
 * A history of one object after the good version 100, as the policy would stamp it: each write is by a user as a manager,
 * and takes the field or something else.
 */
const history = fc.array(
  fc.record({
    user: fc.constantFrom('ann', 'bob'),
    manager: fc.constantFrom('kubectl-edit', 'helm'),
    takes: fc.boolean(),
    isStamped: fc.boolean(),
  }),
  { minLength: 1, maxLength: 6 },
);

interface Entry {
  readonly time: string;
  readonly last: { readonly user: string; readonly over: number; readonly since: number | undefined } | undefined;
}

test('whatever the history, a user who is named is the one who changed the field', () => {
  fc.assert(
    fc.property(history, fc.integer({ min: 0, max: 6 }), fc.boolean(), (writes, knownAfter, withAudit) => {
      const entries = new Map<string, Entry>();
      let stamp: { readonly by: string; readonly as: string } | undefined;
      let author: { readonly user: string; readonly manager: string } | undefined;
      const events: AuditEvent[] = [];
      for (const [index, { user, manager, takes, isStamped }] of writes.entries()) {
        const over = 100 + index;
        const time = new Date(ms(AT) + index * 1_000).toISOString().replace('.000', '');
        const entry = entries.get(manager);
        const since = entry === undefined ? undefined : sinceOf(entry, user, over);
        if (isStamped) stamp = { by: user, as: `${over} ${since ?? '-'} Update ${time} ${manager}` };
        entries.set(manager, { time, last: isStamped ? { user, over, since } : undefined });
        // Good until then: what was done before does not matter any more.
        if (takes && index >= knownAfter) author = { user, manager };
        events.push(event({ user, manager, receivedMs: ms(time) + 100, completedMs: ms(time) + 200 }));
      }
      if (author === undefined) return;
      const owner: FieldOwner = {
        manager: author.manager,
        operation: 'Update',
        time: entries.get(author.manager)?.time,
      };
      const known = { version: String(100 + knownAfter), sinceMs: ms(AT) + knownAfter * 1_000 };

      const { user, manager } = told([{ path: image.path, managers: [owner] }], {
        object: object(stamp),
        events: withAudit ? events : [],
        known,
      });

      assert.equal(manager, author.manager);
      if (user !== undefined) assert.equal(user, author.user);
    }),
    { numRuns: 2_000 },
  );
});

/** As the expressions of the policy have it; only the last stamp is on the object, so only that one can be followed. */
function sinceOf({ last }: Entry, user: string, version: number): number | undefined {
  if (last === undefined) return version;
  return last.user === user ? last.since : last.over;
}
