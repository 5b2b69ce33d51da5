import assert from 'node:assert/strict';
import { test } from 'node:test';

import { decodeApplication, decodeApproval, decodeHold, decodeRepository } from '@plumb/api';
import { PlumbError } from '@plumb/core';
import { decodeYaml } from '@plumb/render';

import { whyRefused } from '../../tools/command-line.ts';
import { generatedPages } from '../../tools/generated-pages.ts';
import { exists, read, repositoryFiles } from './repository.ts';

const PAGES = repositoryFiles().filter((path) => path.endsWith('.md') && !path.includes('/testdata/'));
const GUIDES = PAGES.filter((path) => path.startsWith('docs/guides/'));
const BLOCKS = PAGES.flatMap((page) => blocksOf(page, read(page)));
const MAX_GUIDE_LINES = 90;

test('every page that is made from the sources says what they say', async () => {
  for (const { path, text } of await generatedPages()) {
    assert.equal(exists(path) ? read(path) : '', text, `${path} is old; run: node tools/run.mjs tools/docs.ts`);
  }
});

test('every YAML example is YAML as Kubernetes reads it, and one of our kinds is one that we take', () => {
  const refused = BLOCKS.filter(({ language }) => language === 'yaml').flatMap(({ place, text }) => {
    try {
      return decodeYaml(text, place).flatMap(({ value }) => whyNoObject(value).map((why) => `${place}: ${why}`));
    } catch (thrown) {
      if (!(thrown instanceof PlumbError)) throw thrown;
      return [`${place}: line ${thrown.where?.line ?? 0} of the example: ${thrown.message}`];
    }
  });

  assert.deepEqual(refused, []);
});

test('every command of ours in a page is one that the command line takes', () => {
  const refused = BLOCKS.flatMap(({ place, language, text }) =>
    commandsIn(language, text).flatMap((command) => {
      const why = whyRefused(wordsOf(command));
      return why === undefined ? [] : [`${place}: plumb ${command}: ${why}`];
    }),
  );

  assert.deepEqual(refused, []);
});

test('a flag or a verb that is not there is noticed', () => {
  assert.equal(whyRefused(['app', 'add', 'shop', '--repo', 'shop', '--dry-run=client']), undefined);
  assert.equal(whyRefused(['status', '-e', 'prod', '-o', 'json']), undefined);
  assert.equal(whyRefused(['rollback', 'shop']), 'there is no verb "rollback shop"');
  assert.equal(whyRefused(['status', '--namespaces', 'x']), '"status" has no flag --namespaces');
  assert.equal(whyRefused(['sync', 'shop', '--timeout']), '--timeout needs a value');
  assert.equal(whyRefused(['sync', 'shop', 'prod']), '"sync" takes at most 1 arguments');
});

test('every annotation and label that the sources name is on its page', () => {
  const page = read('docs/reference/annotations.md');

  const sources = repositoryFiles().filter((path) => /^packages\/[^/]+\/src\/.*(?<!\.test)\.ts$/.test(path));
  const named = sources.flatMap((path) =>
    Array.from(read(path).matchAll(/\b[A-Z_]+_(?:ANNOTATION|LABEL)\s*=\s*'([^']+)'/g), ([, value = '']) => value),
  );

  assert.ok(named.length >= 8, 'the constants are not found any more');
  assert.deepEqual(
    named.filter((value) => !page.includes(`\`${value}\``)),
    [],
  );
});

test('every kind with a rule of its own is in the table of health', () => {
  const page = read('docs/reference/health.md');

  const rules = read('packages/core/src/health/compute-health.ts').matchAll(/^ {2}\['[a-z0-9.]*\/([A-Za-z]+)', /gm);
  const kinds = Array.from(rules, ([, kind = '']) => kind);

  assert.ok(kinds.length >= 15, 'the rules are not found any more');
  assert.deepEqual(
    kinds.filter((kind) => !new RegExp(`^\\|[^|]*\\b${kind}\\b`, 'm').test(page)),
    [],
  );
});

test('every page of the documentation can be reached from its first page', () => {
  const reached = new Set(['docs/README.md']);
  for (const page of reached) {
    for (const [, target = ''] of read(page).matchAll(/\]\((?!\w+:|#)([^)#\s]+)/g)) {
      const path = new URL(target, `file:///${page}`).pathname.slice(1);
      if (PAGES.includes(path)) reached.add(path);
    }
  }

  assert.deepEqual(
    PAGES.filter((page) => page.startsWith('docs/') && !reached.has(page)),
    [],
  );
});

test('every link to a code of an error leads to its row', () => {
  const errors = read('docs/errors.md');

  const broken = PAGES.flatMap((page) =>
    Array.from(read(page).matchAll(/errors\.md#([a-z]+)/g))
      .filter(([, anchor = '']) => !errors.includes(`<a id="${anchor}"></a>`))
      .map(([link]) => `${page}: ${link}`),
  );

  assert.deepEqual(broken, []);
});

test(`a guide has at most ${MAX_GUIDE_LINES} lines`, () => {
  const long = GUIDES.map((path) => `${path}: ${read(path).trimEnd().split('\n').length}`);

  assert.deepEqual(
    long.filter((line) => Number(line.split(': ')[1]) > MAX_GUIDE_LINES),
    [],
  );
});

interface Block {
  /** `docs/README.md:12`. */
  readonly place: string;
  readonly language: string;
  readonly text: string;
}

function blocksOf(page: string, text: string): readonly Block[] {
  return Array.from(text.matchAll(/^```(\w+)\n([^]*?)^```$/gm), ({ index, 1: language = '', 2: body = '' }) => ({
    place: `${page}:${text.slice(0, index).split('\n').length}`,
    language,
    text: body,
  }));
}

/** What is wrong with an example that claims to be one of our kinds, or that has a kind and no name. */
function whyNoObject(value: unknown): readonly string[] {
  const { apiVersion, kind, metadata } = value as Readonly<Record<string, unknown>>;
  if (kind === undefined) return [];
  const isOurs = typeof apiVersion === 'string' && apiVersion.startsWith('plumb.dev/');
  if (!isOurs) return typeof apiVersion === 'string' && metadata !== undefined ? [] : ['has no apiVersion or metadata'];
  const decode =
    { Repository: decodeRepository, Approval: decodeApproval, Hold: decodeHold }[String(kind)] ?? decodeApplication;
  const decoded = decode(value);
  return decoded.ok ? [] : [decoded.error.message];
}

/** The command lines of a block for a shell, without the word `plumb`: what is typed, never what is printed. */
function commandsIn(language: string, text: string): readonly string[] {
  const typed = language === 'console' ? /^\$ (?:npx )?plumb (.*)$/gm : /^(?:npx )?plumb (.*)$/gm;
  if (language !== 'console' && language !== 'sh') return [];
  return Array.from(text.replaceAll('\\\n', ' ').matchAll(typed), ([, command = '']) => command);
}

/** The words of a simple command: quotes are taken off, and what follows a comment, a pipe or a redirection is left out. */
function wordsOf(command: string): readonly string[] {
  const [simple = ''] = command.split(/\s(?:#|\||>|&|;)/);
  return Array.from(simple.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g), ([, double, single, plain]) => {
    return double ?? single ?? plain ?? '';
  });
}
