import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { systemClock } from '@plumb/engine';
import { createRenderer, type RenderOutcome } from '@plumb/render';
import { memoryTree } from '@plumb/test-support';
import { baseFiles, filesOf, membersOf, repositoryFiles } from './monorepo-files.ts';

const renderer = createRenderer({ clock: systemClock, workers: 1 });
after(() => renderer[Symbol.asyncDispose]());

const MEMBERS = membersOf(20);

async function rendered(path: string, changes: Readonly<Record<string, string>> = {}): Promise<RenderOutcome> {
  const tree = memoryTree({ ...repositoryFiles(MEMBERS), ...changes });
  const { signal } = new AbortController();
  return renderer.render({ tree, path, release: 'demo', namespace: 'shop', signal });
}

test('a tenth as many charts and plain folders lie among the overlays', () => {
  const kinds = Map.groupBy(MEMBERS, ({ kind }) => kind);

  assert.deepEqual(
    [...kinds].map(([kind, { length }]) => [kind, length]),
    [
      ['overlay', 20],
      ['chart', 2],
      ['plain', 2],
    ],
  );
});

test('every member renders, and another version of it renders to something else', async () => {
  for (const member of MEMBERS.filter(({ index }) => index === 1)) {
    const first = await rendered(member.path);
    const second = await rendered(member.path, filesOf(member, '2'));

    if (!first.ok) assert.fail(`${member.name}: ${first.error.map(({ message }) => message).join('\n')}`);
    assert.equal(first.value.objects.length, 4, member.name);
    assert.ok(second.ok);
    assert.notDeepEqual(second.documents, first.documents, member.name);
  }
});

test('the base is read by the overlays and by nobody else', async () => {
  const changed = baseFiles('2');
  for (const member of MEMBERS.filter(({ index }) => index === 0)) {
    const [before, after] = [await rendered(member.path), await rendered(member.path, changed)];

    const isSame = JSON.stringify(before.documents) === JSON.stringify(after.documents);
    assert.equal(isSame, member.kind !== 'overlay', member.name);
  }
});
