import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { folderWith } from '../test/folder-with.ts';
import { gitFolder } from '../test/git-folder.ts';
import { runCaptured } from '../test/run-captured.ts';
import { ciKind } from './ci.ts';

const GIT = { '.git/HEAD': 'ref: refs/heads/main\n' };
const BAD = `apiVersion: v1
kind: Service
metadata: {name: api}
spec:
  port: 80
`;

test('auto takes the pipeline that the environment tells, and without one says nothing', () => {
  assert.equal(ciKind('auto', { GITHUB_ACTIONS: 'true' }), 'github');
  assert.equal(ciKind('auto', { GITLAB_CI: 'true' }), 'gitlab');
  assert.equal(ciKind('auto', {}), 'none');
  assert.equal(ciKind('none', { GITHUB_ACTIONS: 'true' }), 'none');
  assert.equal(ciKind('gitlab', { GITHUB_ACTIONS: 'true' }), 'gitlab');
});

test('validate says its findings to GitHub beside the lines, and all of them in the summary', async () => {
  await using folder = await folderWith({ ...GIT, 'app/a.yaml': BAD, 'summary.md': 'before\n' });
  const summary = join(folder.path, 'summary.md');
  const env = { GITHUB_ACTIONS: 'true', GITHUB_STEP_SUMMARY: summary };

  const run = await runCaptured(['validate', 'app', '--ci', 'auto'], { cwd: folder.path, env });

  assert.equal(run.code, 1, run.stderr);
  assert.match(run.stdout, /^::error file=app\/a\.yaml,line=5,title=schema\/unknown-field::Service\/api: /m);
  assert.match(run.stdout, /^error +app\/a\.yaml:5 /m);
  const text = await readFile(summary, 'utf8');
  assert.match(text, /^before\n### plumb validate app\n\n```text\nLEVEL /);
  assert.match(text, /1 object: 1 error.*\n```\n\n$/s);
});

test('many findings are folded away, and ten of them shown beside their lines', async () => {
  const many = Array.from({ length: 12 }, (_, index) => [
    `app/${index}.yaml`,
    BAD.replace('name: api', `name: api-${index}`),
  ]);
  await using folder = await folderWith({ ...GIT, ...Object.fromEntries(many) });

  const run = await runCaptured(['validate', 'app', '--ci=github'], { cwd: folder.path });
  const plain = await runCaptured(['validate', 'app', '--ci', 'auto'], { cwd: folder.path });

  assert.equal(run.stdout.match(/^::error /gm)?.length, 10);
  assert.match(run.stdout, /^::group::plumb validate app\n(?:(?:LEVEL|error) .*\n){13}12 objects: .*\n::endgroup::\n/);
  assert.match(plain.stdout, /^LEVEL (?:.*\n){13}12 objects/);
});

test('validate writes a code-quality report for GitLab, where it was told to', async () => {
  await using folder = await folderWith({ ...GIT, 'app/a.yaml': BAD });
  const read = async (name: string): Promise<readonly { check_name: string; location: object }[]> =>
    JSON.parse(await readFile(join(folder.path, name), 'utf8'));

  const run = await runCaptured(['validate', 'app', '--ci', 'gitlab'], { cwd: folder.path });
  await runCaptured(['validate', 'app', '--ci', 'gitlab', '--ci-report', 'other.json'], { cwd: folder.path });

  assert.equal(run.code, 1, run.stderr);
  const [entry] = await read('gl-code-quality-report.json');
  assert.equal(entry?.check_name, 'schema/unknown-field');
  assert.deepEqual(entry.location, { path: 'app/a.yaml', lines: { begin: 5 } });
  assert.deepEqual(await read('other.json'), await read('gl-code-quality-report.json'));
});

test('what cannot be read at all is told to the pipeline as well, and its text gives no command', async () => {
  await using folder = await folderWith({ ...GIT, 'policy.yaml': 'policies: [\n', 'app/a.yaml': BAD });
  const args = ['validate', 'app', '--policy', 'policy.yaml', '--ci', 'github'];

  const run = await runCaptured(args, { cwd: folder.path });
  const named = await runCaptured(['validate', '##[error]x\n::error::y', '--ci', 'github'], { cwd: folder.path });

  assert.equal(run.code, 2);
  assert.match(run.stdout, /^::error file=policy\.yaml,line=\d+,.*title=YamlSyntax::/m);
  for (const text of [named.stdout, named.stderr]) {
    assert.doesNotMatch(text, /##\[/);
    assert.doesNotMatch(text.replaceAll(/^::error title=.*$/gm, ''), /^\s*::/m);
  }
});

test('what programs read holds nothing for a pipeline', async () => {
  await using folder = await folderWith({ ...GIT, 'app/a.yaml': BAD });
  const env = { GITHUB_ACTIONS: 'true' };

  const asked = await runCaptured(['validate', 'app', '-o', 'json', '--ci', 'github'], { cwd: folder.path });
  const found = await runCaptured(['validate', 'app', '-o', 'json', '--ci', 'auto'], { cwd: folder.path, env });
  const lost = await runCaptured(['validate', 'app', '--ci-report', 'x.json'], { cwd: folder.path });

  assert.deepEqual([asked.code, found.code, lost.code], [2, 1, 2]);
  assert.equal(JSON.parse(found.stdout).findings.length, 1);
});

test('diff says to the pipeline what is not there any more, folds what it cut, and says what keeps it from comparing', async () => {
  const data = (text: string) => Array.from({ length: 30 }, (_, index) => `  K${index}: ${text}\n`).join('');
  const map = (name: string, text: string) =>
    `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\ndata:\n${data(text)}`;
  await using folder = await gitFolder({ 'app/a.yaml': map('a', 'x'), 'app/gone.yaml': map('gone', 'x') });
  folder.git('tag', 'v1');
  folder.git('rm', '-q', 'app/gone.yaml');
  await folder.commit({ 'app/a.yaml': map('a', 'z') });
  const summary = join(folder.path, 'summary.md');
  const env = { GITHUB_ACTIONS: 'true', GITHUB_STEP_SUMMARY: summary };

  const run = await runCaptured(['diff', '--render', 'v1..main', 'app', '--ci', 'auto'], { cwd: folder.path, env });
  const failed = await runCaptured(['diff', '--render', 'v1..v9', 'app', '--ci', 'github'], { cwd: folder.path });
  const plain = await runCaptured(['diff', '--render', 'v1..main', 'app', '--ci', 'auto'], { cwd: folder.path });
  const json = await runCaptured(['diff', '--render', 'v1..main', 'app', '--ci', 'auto', '-o', 'json'], {
    cwd: folder.path,
    env,
  });

  assert.equal(run.code, 1, run.stderr);
  assert.match(
    run.stdout,
    /^::warning file=app\/gone\.yaml,line=1,title=delete::ConfigMap\/gone is not there any more$/m,
  );
  assert.match(run.stdout, /^::group::All fields\n.*data K29 x → z.*^::endgroup::$/ms);
  assert.match(await readFile(summary, 'utf8'), /^### plumb diff\n\n```text\nRender  app .*data K29 x → z/s);
  assert.match(failed.stdout, /^::error title=\w+::.*v9/m);
  assert.notEqual(failed.code, 0);
  assert.doesNotMatch(plain.stdout, /::/);
  assert.equal(JSON.parse(json.stdout).items.length, 2);
});
