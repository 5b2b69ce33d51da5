import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { folderWith } from '../test/folder-with.ts';
import { runCaptured } from '../test/run-captured.ts';

const GUIDES = join(import.meta.dirname, '../../../docs/guides');

interface Example {
  readonly command: string;
  readonly output: string;
}

/** The files of a guide: its YAML blocks whose first line names one. */
function filesIn(page: string): Readonly<Record<string, string>> {
  const blocks = page.matchAll(/^```yaml\n# (\S+)\n([^]*?)^```$/gm);
  return Object.fromEntries(Array.from(blocks, ([, name = '', text = '']) => [name, `# ${name}\n${text}`]));
}

/** What is typed in its consoles, and what is printed then. */
function examplesIn(page: string): readonly Example[] {
  return Array.from(page.matchAll(/^```console\n([^]*?)^```$/gm), ([, block = '']) => block)
    .flatMap((block) => block.split(/^\$ /m).slice(1))
    .map((example) => {
      const end = example.indexOf('\n');
      return { command: example.slice(0, end), output: example.slice(end + 1) };
    });
}

for (const guide of ['validating-offline.md', 'policies.md']) {
  test(`what the guide ${guide} shows is what is printed`, async () => {
    const page = await readFile(join(GUIDES, guide), 'utf8');
    await using folder = await folderWith({ '.git/HEAD': 'ref: refs/heads/main\n', ...filesIn(page) });
    let code = 0;

    const printed: Example[] = [];
    for (const { command } of examplesIn(page)) {
      if (command === 'echo $?') printed.push({ command, output: `${code}\n` });
      else {
        const run = await runCaptured(command.replace(/^plumb /, '').split(' '), { cwd: folder.path });
        code = run.code;
        printed.push({ command, output: run.stderr + run.stdout });
      }
    }

    assert.ok(printed.length > 1);
    assert.deepEqual(printed, examplesIn(page));
  });
}
