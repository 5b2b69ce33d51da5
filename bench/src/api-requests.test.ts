import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countRequests, isOfStart, requestsBetween, totalOf } from './api-requests.ts';

function line(verb: string, resource: string, count: number, subresource = '', code = '200'): string {
  return `apiserver_request_total{code="${code}",resource="${resource}",subresource="${subresource}",verb="${verb}"} ${count}`;
}

test('requests are counted by verb and resource, whatever the server answered', () => {
  const counts = countRequests(
    [
      line('APPLY', 'services', 3, '', '201'),
      line('APPLY', 'services', 2),
      line('APPLY', 'applications', 4, 'status'),
    ].join('\n'),
  );

  assert.deepEqual(Object.fromEntries(counts), { 'APPLY services': 5, 'APPLY applications/status': 4 });
});

test('what the controllers of the cluster and the bench itself ask for is left out', () => {
  const counts = countRequests(
    [
      line('PUT', 'deployments', 7, 'status'),
      line('PATCH', 'ingresses', 7, 'status'),
      line('POST', 'applications', 7),
      line('WATCH', 'deployments', 7),
      line('GET', 'leases', 7),
      line('GET', 'namespaces', 7),
    ].join('\n'),
  );

  assert.equal(counts.size, 0);
});

test('the difference names only what was asked in between', () => {
  const before = new Map([
    ['APPLY services', 5],
    ['GET secrets', 1],
  ]);
  const after = new Map([
    ['APPLY services', 7],
    ['GET secrets', 1],
    ['LIST services', 1],
  ]);

  assert.deepEqual(
    [...requestsBetween(before, after)],
    [
      ['APPLY services', 2],
      ['LIST services', 1],
    ],
  );
});

test('leases do not count, and the requests of a start can be told from those of the applications', () => {
  const counts = new Map([
    ['APPLY leases', 4],
    ['APPLY customresourcedefinitions', 2],
    ['APPLY repositories/status', 1],
    ['APPLY applications/status', 10],
    ['APPLY services', 10],
  ]);

  assert.equal(totalOf(counts), 23);
  assert.equal(
    totalOf(counts, (name) => !isOfStart(name)),
    20,
  );
});
