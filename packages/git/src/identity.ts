import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { PlumbError } from '@plumb/core';
import { runGit } from './git-process.ts';
import { repositoryRoot } from './local-tree.ts';

export interface GitIdentity {
  readonly name: string;
  readonly email: string;
}

export interface Person {
  /** The working copy that the person stands in counts first. */
  readonly cwd: string;
  readonly home: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * Who makes a commit on this machine, as git itself would tell: the environment, the working copy, the person's own
 * configuration.
 *
 * @throws {PlumbError} `AuthorMissing`
 */
export async function gitIdentity(person: Person, { signal }: { readonly signal: AbortSignal }): Promise<GitIdentity> {
  const { env } = person;
  const configs = await configsOf(person);
  const read = async (key: string): Promise<string | undefined> => {
    for (const { folder, args, env: around } of configs) {
      const outcome = await runGit({
        folder,
        args: ['config', ...args, '--includes', '--get', key],
        env: around,
        signal,
      });
      const value = outcome.stdout.toString('utf8').trim();
      if (outcome.code === 0 && value !== '') return value;
    }
    return undefined;
  };
  const name = nonEmpty(env['GIT_AUTHOR_NAME']) ?? (await read('user.name'));
  const email = nonEmpty(env['GIT_AUTHOR_EMAIL']) ?? nonEmpty(env['EMAIL']) ?? (await read('user.email'));
  if (name !== undefined && email !== undefined) return { name, email };
  const missing = [...(name === undefined ? ['user.name'] : []), ...(email === undefined ? ['user.email'] : [])];
  throw new PlumbError('AuthorMissing', `git does not know who makes the commit: ${missing.join(' and ')} is not set`, {
    fix: missing.map((key) => `git config --global ${key} "…"`).join(' && '),
  });
}

interface Config {
  readonly folder: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

async function configsOf({ cwd, home, env }: Person): Promise<readonly Config[]> {
  const root = await repositoryRoot(cwd).catch(() => undefined);
  const local = root === undefined ? [] : [{ folder: join(root, '.git'), args: ['--local'], env: { HOME: home } }];
  const files = [
    nonEmpty(env['GIT_CONFIG_GLOBAL']) ?? join(home, '.gitconfig'),
    join(nonEmpty(env['XDG_CONFIG_HOME']) ?? join(home, '.config'), 'git', 'config'),
  ];
  const there: Config[] = [];
  for (const file of files) {
    const isFile = await stat(file).then(
      (found) => found.isFile(),
      () => false,
    );
    if (isFile) there.push({ folder: '/dev/null', args: ['--global'], env: { HOME: home, GIT_CONFIG_GLOBAL: file } });
  }
  return [...local, ...there];
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === undefined || text === '' ? undefined : text;
}
