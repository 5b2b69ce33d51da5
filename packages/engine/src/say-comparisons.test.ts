import assert from 'node:assert/strict';
import { test } from 'node:test';
import { objectKey, PlumbError } from '@plumb/core';
import { Metrics } from './metrics.ts';
import type { EngineEvent } from './narrate.ts';
import { sayComparisons } from './say-comparisons.ts';

const resource = {
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  apiVersion: 'v1',
  root: '/api/v1',
  plural: 'configmaps',
  namespaced: true,
  verbs: [],
};

test('lost events are counted by object, and a few of the objects are named', () => {
  const metrics = new Metrics();
  const said: EngineEvent[] = [];
  const keys = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) =>
    objectKey({ group: '', kind: 'ConfigMap', namespace: 'shop', name }),
  );

  sayComparisons(metrics, (event) => said.push(event)).lost(resource, keys);

  assert.match(metrics.expose(), /^plumb_watch_lost_total 6$/m);
  assert.deepEqual(
    said.map(({ level, kind, count, objects }) => [level, kind, count, objects]),
    [['warn', 'ConfigMap', 6, ['a', 'b', 'c', 'd', 'e'].map((name) => `ConfigMap/${name}`)]],
  );
});

test('a comparison that fails is said, and counts as nothing', () => {
  const metrics = new Metrics();
  const said: EngineEvent[] = [];

  sayComparisons(metrics, (event) => said.push(event)).failed(resource, new PlumbError('Forbidden', 'no list'));

  assert.match(metrics.expose(), /^plumb_watch_lost_total 0$/m);
  assert.deepEqual(
    said.map(({ level, kind, code }) => [level, kind, code]),
    [['warn', 'ConfigMap', 'Forbidden']],
  );
});
