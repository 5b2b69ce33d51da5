import { oneLine } from './printable.ts';
import type { RenderOutcome } from '@plumb/render';

/** Which renderer and why, what was read, and what names the result. */
export function explainRender({ choice, reads, key, documents }: RenderOutcome): {
  readonly text: string;
  readonly json: object;
} {
  const files = [...reads].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const json = {
    renderer: choice?.renderer,
    because: choice?.because,
    objects: documents.length,
    key,
    reads: Object.fromEntries(files),
  };
  const lines = [
    `renderer  ${choice?.renderer ?? 'unknown'}: ${choice?.because ?? 'the folder could not be read'}`,
    `objects   ${documents.length}`,
    `key       ${key === '' ? 'none' : key}`,
    'read      what stood at each path; "-" is nothing, and something there would count',
    ...files.map(([path, mark]) => `  ${oneLine(path === '' ? '.' : path)}  ${mark}`),
  ];
  return { json, text: `${lines.join('\n')}\n` };
}
