import { execFileSync } from 'node:child_process';
import { folderWith, type TemporaryFolder } from './folder-with.ts';

export interface GitFolder extends TemporaryFolder {
  git(...args: readonly string[]): string;
  /** Writes the files, commits all that is there, and returns the commit's id. */
  commit(files: Readonly<Record<string, string>>): Promise<string>;
}

/** A working copy of its own, on the branch `main`, with these files committed. */
export async function gitFolder(files: Readonly<Record<string, string>>): Promise<GitFolder> {
  const folder = await folderWith({});
  const git = (...args: readonly string[]) =>
    execFileSync('git', ['-c', 'user.name=T', '-c', 'user.email=t@example.com', ...args], {
      cwd: folder.path,
      encoding: 'utf8',
      env: { PATH: process.env['PATH'], HOME: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' },
    }).trim();
  async function commit(changed: Readonly<Record<string, string>>): Promise<string> {
    await folder.write(changed);
    git('add', '-A');
    git('commit', '-qm', 'change');
    return git('rev-parse', 'HEAD');
  }
  git('init', '-q', '-b', 'main');
  await commit(files);
  return { ...folder, git, commit };
}
