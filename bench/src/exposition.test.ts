import assert from 'node:assert/strict';
import { test } from 'node:test';
import { samplesOf, sumOf } from './exposition.ts';

const TEXT = `# HELP requests_total Requests, by verb.
# TYPE requests_total counter
requests_total{verb="GET",path="/a{b}"} 3
requests_total{verb="GET",path="say \\"hi\\"\\n"} 4 1700000000000
requests_total{verb="PUT",path=""} 1.5e+01
requests_total_more{verb="GET"} 100
up 1
`;

test('only the samples of the metric itself are read, not of one whose name begins the same', () => {
  const values = samplesOf(TEXT, 'requests_total').map(({ value }) => value);

  assert.deepEqual(values, [3, 4, 15]);
});

test('a label may hold braces, quotes and line ends', () => {
  const paths = samplesOf(TEXT, 'requests_total').map(({ labels }) => labels['path']);

  assert.deepEqual(paths, ['/a{b}', 'say "hi"\n', '']);
});

test('a metric without labels is read', () => {
  assert.deepEqual(samplesOf(TEXT, 'up'), [{ name: 'up', labels: {}, value: 1 }]);
});

test('a sum is limited to the labels that are asked for', () => {
  assert.equal(sumOf(TEXT, 'requests_total', { verb: 'GET' }), 7);
  assert.equal(sumOf(TEXT, 'requests_total'), 22);
  assert.equal(sumOf(TEXT, 'absent'), 0);
});
