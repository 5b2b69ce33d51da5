import assert from 'node:assert/strict';
import { test } from 'node:test';
import { API_VERSION, APPLICATION } from '@plumb/api';
import { targetKey } from '@plumb/core';
import { ManualClock } from '@plumb/test-support';
import { decodedApplication } from './applications.ts';
import type { ChosenApplication } from './chosen-application.ts';
import type { Surroundings } from './context.ts';
import { FieldAuthors } from './field-authors.ts';

test('a repository that does not answer is not waited for longer than 20 s', async () => {
  const clock = new ManualClock();
  const asked = Promise.withResolvers<void>();
  const client = {
    resource: (_kind: unknown, { signal }: { readonly signal: AbortSignal }) => {
      asked.resolve();
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
    },
  };
  const application = decodedApplication({
    apiVersion: API_VERSION,
    kind: APPLICATION.kind,
    metadata: { name: 'shop', namespace: 'team' },
    spec: { source: { repository: 'shop' } },
  });
  const authors = new FieldAuthors(
    { clock, signal: new AbortController().signal } as unknown as Surroundings,
    { client, application } as unknown as ChosenApplication,
  );

  const looking = authors.find({
    target: targetKey({ namespace: 'team', application: 'shop', environment: undefined }),
    commit: '1'.repeat(40),
    before: undefined,
    origin: { file: 'web.yaml', line: 1 },
    changes: [{ path: 'spec.replicas', before: 1, after: 2 }],
  });
  await asked.promise;
  clock.advance(20_000);

  await assert.rejects(looking, { code: 'RepositoryUnreachable', message: 'not fetched and rendered within 20 s' });
  await authors[Symbol.asyncDispose]();
  assert.equal(clock.pending, 0);
});
