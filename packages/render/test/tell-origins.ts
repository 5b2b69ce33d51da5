import assert from 'node:assert/strict';
import type { Origin } from '@plumb/core';
import { memoryTree, type MemoryFiles } from '@plumb/test-support';
import type { Renderer } from '../src/renderer.ts';
import type { RenderRequest } from '../src/request.ts';

/** For each object, as `Kind/name`, where it came from: `file:line`, and `← patch` for each that changed it. */
export async function tellOrigins(
  renderer: Renderer,
  files: MemoryFiles,
  more: Partial<RenderRequest> = {},
): Promise<Readonly<Record<string, string>>> {
  const { signal } = new AbortController();
  const request = { path: 'app', release: 'demo', namespace: 'shop', signal, ...more };
  const outcome = await renderer.render({ tree: memoryTree(files), ...request });
  if (!outcome.ok) assert.fail(outcome.error.map(({ code, message }) => `${code} ${message}`).join('\n'));
  return Object.fromEntries(
    outcome.value.objects.map(({ object, origin }) => [`${object.kind}/${object.metadata.name}`, tell(origin)]),
  );
}

function tell({ file, line, patches = [] }: Origin): string {
  return [line === undefined ? file : `${file}:${line}`, ...patches.map((patch) => `← ${patch}`)].join(' ');
}
