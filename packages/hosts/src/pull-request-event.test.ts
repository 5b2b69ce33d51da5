import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PlumbError } from '@plumb/core';
import fc from 'fast-check';
import { DELIVERIES, type Delivery } from '../test/deliveries.ts';
import { idOn, KINDS } from '../test/fake-host.ts';
import { ALICE, BOB, commit } from '../test/fake-state.ts';
import type { HostKind } from './host.ts';
import { readPullRequestEvent } from './pull-request-event.ts';

const HEADERS = {
  github: 'x-github-event',
  gitea: 'x-gitea-event',
  gitlab: 'x-gitlab-event',
  bitbucket: 'x-event-key',
};

function read(kind: HostKind, { event, body }: Delivery) {
  const headers: Readonly<Record<string, string>> = { [HEADERS[kind]]: event, 'content-type': 'application/json' };
  return readPullRequestEvent(kind, (name) => headers[name], Buffer.from(JSON.stringify(body)));
}

for (const kind of KINDS) {
  const project = kind === 'gitlab' ? 'acme/platform/shop' : 'acme/shop';

  test(`${kind}: what happens to a pull request is told with its number, its head and its base`, () => {
    for (const type of ['opened', 'updated', 'closed', 'review']) {
      for (const delivery of DELIVERIES[kind][type] ?? []) {
        assert.deepEqual(
          read(kind, delivery),
          {
            type,
            project,
            number: 7,
            user: { id: idOn(kind, ALICE), name: 'alice' },
            // Bitbucket cuts the ids of commits.
            head: kind === 'bitbucket' ? undefined : commit('a'),
            base: 'main',
            comment: undefined,
          },
          delivery.event,
        );
      }
    }
  });

  test(`${kind}: a comment is told with who wrote it`, () => {
    for (const delivery of DELIVERIES[kind]['comment'] ?? []) {
      const event = read(kind, delivery);
      assert.deepEqual(
        [event?.type, event?.project, event?.number, event?.user, event?.comment],
        ['comment', project, 7, { id: idOn(kind, BOB), name: 'bob' }, { id: '55', body: '/plumb plan' }],
      );
    }
  });

  test(`${kind}: what is about no pull request, or edits a comment that others may edit, is no event`, () => {
    for (const delivery of DELIVERIES[kind]['nothing'] ?? []) {
      assert.equal(read(kind, delivery), undefined, `${delivery.event} ${JSON.stringify(delivery.body)}`);
    }
    assert.equal(
      readPullRequestEvent(kind, () => undefined, Buffer.from('{}')),
      undefined,
    );
  });

  test(`${kind}: a delivery of any other shape is refused with a code, and never a fault`, () => {
    const known = Object.values(DELIVERIES[kind]).flat();
    const broken = fc.oneof(
      fc.json(),
      fc.string(),
      // One of ours with a field that is gone or something else.
      fc.tuple(fc.constantFrom(...known), fc.nat(40), fc.jsonValue()).map(([{ body }, index, value]) => {
        let count = 0;
        return JSON.stringify(body, (_key, before: unknown) => (count++ === index ? value : before));
      }),
    );

    fc.assert(
      fc.property(fc.constantFrom(...known), broken, ({ event }, body) => {
        try {
          const found = readPullRequestEvent(
            kind,
            (name) => (name === HEADERS[kind] ? event : undefined),
            Buffer.from(body),
          );
          if (found !== undefined) assert.ok(Number.isSafeInteger(found.number) && typeof found.project === 'string');
        } catch (error) {
          assert.ok(error instanceof PlumbError && error.code === 'HostAnswerInvalid', String(error));
        }
      }),
      { numRuns: 500 },
    );
  });
}

test('GitHub may send a form instead of JSON', () => {
  const [delivery] = DELIVERIES.github['opened'] ?? [];
  assert.ok(delivery);
  const form = new URLSearchParams({ payload: JSON.stringify(delivery.body) }).toString();
  const headers: Readonly<Record<string, string>> = {
    'x-github-event': delivery.event,
    'content-type': 'application/x-www-form-urlencoded',
  };

  assert.equal(readPullRequestEvent('github', (name) => headers[name], Buffer.from(form))?.number, 7);
});
