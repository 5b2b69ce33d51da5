import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { CiFinding } from './ci-finding.ts';
import { githubAnnotations, githubGroup, githubInert, githubSummary } from './ci-github.ts';
import { jsonText } from './json-text.ts';

interface Command {
  readonly name: string;
  readonly properties: Readonly<Record<string, string>>;
  readonly data: string;
}

/** The commands in what a step prints, as the runner reads them: both forms of a command, line by line. */
function commandsIn(output: string): readonly Command[] {
  return output.split(/\r\n|\r|\n/).flatMap((line): readonly Command[] => {
    const old = /##\[([^\]]*)/.exec(line);
    if (old !== null) return [{ name: old[1] ?? '', properties: {}, data: '' }];
    const trimmed = line.replace(/^[\s\u0085]+/, '');
    if (!trimmed.startsWith('::')) return [];
    const end = trimmed.indexOf('::', 2);
    if (end < 0) return [];
    const [, name = '', rest = ''] = /^(\S*) ?(.*)$/s.exec(trimmed.slice(2, end)) ?? [];
    const pairs = rest === '' ? [] : rest.split(',').map((pair) => [pair.split('=')[0] ?? '', pair] as const);
    const properties = Object.fromEntries(
      pairs.map(([key, pair]) => [key, unescape(pair.slice(key.length + 1), ['%3A', ':'], ['%2C', ','])]),
    );
    return [{ name, properties, data: unescape(trimmed.slice(end + 2)) }];
  });
}

function unescape(text: string, ...more: readonly (readonly [string, string])[]): string {
  const pairs = [...more, ['%0D', '\r'], ['%0A', '\n'], ['%25', '%']] as const;
  return pairs.reduce((value, [from, to]) => value.replaceAll(from, to), text);
}

/** Made of what means something to a runner. */
const hostile = fc
  .array(
    fc.oneof(
      fc.constantFrom('::', ':', '##[', '#', '[', ']', '%', '%0A', '%25', ',', '=', '\n', '\r', ' ', '\t', '\u0085'),
      fc.constantFrom(
        '\u2028',
        '\u200b',
        '\ufeff',
        'set-env name=PATH',
        'add-mask',
        'error',
        'endgroup',
        'stop-commands',
        '`',
      ),
      fc.string({ unit: 'binary', maxLength: 3 }),
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(''));

const finding: fc.Arbitrary<CiFinding> = fc.record({
  severity: fc.constantFrom('error', 'warning'),
  title: hostile,
  message: hostile,
  where: fc.option(fc.record({ file: hostile, line: fc.nat() }), { nil: undefined }),
  folder: hostile,
});

test('an annotation names file, line and title, and its values are escaped', () => {
  const text = githubAnnotations([
    {
      severity: 'error',
      title: 'schema/unknown-field',
      message: '100% wrong: spec.replica, it is',
      where: { file: 'a,b:c/patch.yaml', line: 9 },
      folder: 'a',
    },
    { severity: 'warning', title: 'delete', message: 'gone', where: undefined, folder: 'a' },
  ]);

  assert.equal(
    text,
    '::error file=a%2Cb%3Ac/patch.yaml,line=9,title=schema/unknown-field::100%25 wrong: spec.replica, it is\n' +
      '::warning title=delete::gone\n',
  );
});

test('ten annotations are shown, the errors first', () => {
  const many = Array.from({ length: 30 }, (_, index): CiFinding => {
    const severity = index % 4 === 3 ? 'error' : 'warning';
    return { severity, title: `${index}`, message: 'no', where: undefined, folder: '' };
  });

  const commands = commandsIn(githubAnnotations(many));

  assert.deepEqual(
    commands.map(({ name, properties }) => `${name} ${properties['title']}`),
    [3, 7, 11, 15, 19, 23, 27].map((index) => `error ${index}`).concat(['warning 0', 'warning 1', 'warning 2']),
  );
});

test('whatever findings say, a runner reads one command for each, and its values are theirs', () => {
  fc.assert(
    fc.property(fc.array(finding, { maxLength: 4 }), (findings) => {
      const commands = commandsIn(githubAnnotations(findings));
      assert.equal(commands.length, findings.length);
      for (const { name, properties } of commands) {
        assert.match(name, /^(?:error|warning)$/);
        for (const key of Object.keys(properties)) assert.match(key, /^(?:file|line|col|title)$/);
      }
    }),
    { numRuns: 1_000 },
  );
});

test('whatever a text holds, a runner reads no command in it, and in a group those of the group alone', () => {
  fc.assert(
    fc.property(hostile, hostile, (title, text) => {
      assert.deepEqual(commandsIn(githubInert(text)), []);
      assert.deepEqual(
        commandsIn(githubGroup(title, text)).map(({ name }) => name),
        ['group', 'endgroup'],
      );
      assert.deepEqual(commandsIn(jsonText({ title, text: [text] }, 2)), []);
      assert.deepEqual(JSON.parse(jsonText({ title, text }, 2)), { title, text });
    }),
    { numRuns: 2_000 },
  );
});

test('a summary is a title and one block of code that its text cannot close', () => {
  fc.assert(
    fc.property(hostile, (text) => {
      const lines = githubSummary('plumb plan', text).split('\n');
      const fence = /^`+/.exec(lines[2] ?? '')?.[0] ?? '';
      assert.deepEqual([lines[0], lines[1], lines[2]], ['### plumb plan', '', `${fence}text`]);
      const closing = lines.slice(3).findIndex((line) => line.trim().startsWith(fence));
      assert.deepEqual(lines.slice(3 + closing), [fence, '', '']);
    }),
  );
  assert.ok(githubSummary('plan', 'x'.repeat(2_000_000)).length < 1_000_000);
});
