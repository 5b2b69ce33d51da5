import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PlumbError, type FieldChange, type TargetKey } from '@plumb/core';
import type { Release } from '@plumb/ledger';
import { mostTellingFirst, type ObjectOrigin } from './object-origin.ts';
import { originLinks } from './verbs/why.ts';

const IMAGE: FieldChange = { path: 'spec.template.spec.containers[name="app"].image', before: 'web:1', after: 'web:2' };
const REPLICAS: FieldChange = { path: 'spec.replicas', before: 1, after: 2 };
const SECRET: FieldChange = { path: 'spec.template.spec.volumes[name="tls"].secret.secretName', after: 'web-tls' };

function release(number: number, more: Partial<Release> = {}): Release {
  return {
    target: 'a/shop' as TargetKey,
    number,
    commit: `${number}`.repeat(40),
    treeId: '',
    inputsKey: '',
    digest: '',
    subject: `Change ${number}`,
    author: 'Ann',
    objectCount: 1,
    startedAt: 0,
    outcome: 'healthy',
    ...more,
  };
}

const FOUND: ObjectOrigin = {
  release: release(2, { outcome: 'failed' }),
  previous: release(1),
  origin: { file: 'deploy/web.yaml', line: 1 },
  good: release(1),
  changes: [REPLICAS, IMAGE],
  isNew: false,
  wasHealthy: false,
};

test('of several changes the one that the cause names comes first', () => {
  const told = (cause: string): readonly string[] =>
    mostTellingFirst([REPLICAS, IMAGE, SECRET], cause).map(({ path }) => path);

  assert.deepEqual(told('image web:2 cannot be pulled'), [IMAGE.path, REPLICAS.path, SECRET.path]);
  assert.deepEqual(told('volume "tls": secret "web-tls" not found'), [SECRET.path, REPLICAS.path, IMAGE.path]);
  assert.deepEqual(told('container app keeps stopping'), [REPLICAS.path, IMAGE.path, SECRET.path]);
});

test('the line of the first change is named with its author, and other lines beside their changes', () => {
  const links = originLinks(FOUND, {
    changes: [
      { ...IMAGE, place: { file: 'values.yaml', line: 4 } },
      { ...REPLICAS, place: { file: 'prod.yaml', line: 2 } },
    ],
    place: { file: 'values.yaml', line: 4 },
    author: { commit: 'abcdef0123', name: 'Bob', subject: 'Take web 2' },
  });

  assert.deepEqual(links.because, [
    'image 1 → 2, replicas 1 → 2  (prod.yaml:2) in r2',
    'values.yaml:4, commit abcdef0, Bob: Take web 2',
  ]);
  assert.deepEqual(links.change?.fields[1], { path: 'spec.replicas', file: 'prod.yaml', line: 2 });
  assert.deepEqual(links.unknown, []);
});

test('where no line is known it is that of the object, with the commit of the release', () => {
  const failure = new PlumbError('RepositoryUnreachable', 'no answer');

  const links = originLinks(FOUND, { changes: [REPLICAS], failure });

  assert.deepEqual(links.because, ['replicas 1 → 2 in r2', 'deploy/web.yaml:1, commit 2222222, Ann: Change 2']);
  assert.deepEqual(links.unknown, ['the line of the field: no answer']);
});

test('a release that was healthy at first is not blamed for sure', () => {
  const { unknown } = originLinks({ ...FOUND, wasHealthy: true }, { changes: [REPLICAS] });

  assert.deepEqual(unknown, ['whether that is the cause: r2 was healthy at first']);
});

test('two releases of one commit differ by what is not in Git: the chart, where it is another', () => {
  const now = release(2, { commit: release(1).commit, chart: 'redis 2' });

  const { because, change } = originLinks(
    { ...FOUND, release: now, previous: release(1, { chart: 'redis 1' }) },
    { changes: [IMAGE] },
  );

  assert.deepEqual(because, [
    'image 1 → 2 in r2',
    'not by a commit: r1 is of 1111111 too, but chart redis 1 → redis 2',
  ]);
  assert.equal(change, undefined);
});

test('an object that is as it was in a healthy release is not looked for in Git', () => {
  const { because } = originLinks({ ...FOUND, changes: [] }, { changes: [] });

  assert.deepEqual(because, ['it is as it was in r1, which was healthy: look outside of Git']);
});
