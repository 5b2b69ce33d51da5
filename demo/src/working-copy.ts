import { spawn } from 'node:child_process';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

/** A person's clone: files are edited in it, committed and pushed with plain git. */
export class WorkingCopy {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  static async clone(url: string, folder: string): Promise<WorkingCopy> {
    await git(['clone', '--quiet', '--', url, folder]);
    return new WorkingCopy(folder);
  }

  read(path: string): Promise<string> {
    return readFile(join(this.folder, path), 'utf8');
  }

  write(path: string, content: string): Promise<void> {
    return writeFile(join(this.folder, path), content);
  }

  remove(path: string): Promise<void> {
    return rm(join(this.folder, path));
  }

  /** Commits all that changed and returns the commit's id. */
  async commit(message: string): Promise<string> {
    await this.git('add', '--all');
    await this.git('commit', '--quiet', `--message=${message}`);
    return this.git('rev-parse', 'HEAD');
  }

  /** Takes the last commit back with a new one. */
  async revert(): Promise<string> {
    await this.git('revert', '--no-edit', 'HEAD');
    return this.git('rev-parse', 'HEAD');
  }

  push(): Promise<string> {
    return this.git('push', '--quiet', 'origin', 'HEAD:main');
  }

  git(...args: readonly string[]): Promise<string> {
    return git(['-C', this.folder, ...args]);
  }
}

async function git(args: readonly string[]): Promise<string> {
  const child = spawn('git', args, { stdio: ['ignore', 'pipe', 'pipe'], env: ENVIRONMENT });
  const exited = new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve));
  const [code, stdout, stderr] = await Promise.all([exited, text(child.stdout), text(child.stderr)]);
  if (code !== 0) throw new Error(`git ${args.join(' ')}: ${stderr.trim()}`);
  return stdout.trim();
}

/** Nothing of the person's own settings, and an author for the story. */
const ENVIRONMENT: NodeJS.ProcessEnv = {
  PATH: process.env['PATH'],
  HOME: '/nonexistent',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_TERMINAL_PROMPT: '0',
  LC_ALL: 'C',
  GIT_AUTHOR_NAME: 'Demo Author',
  GIT_AUTHOR_EMAIL: 'author@example.com',
  GIT_COMMITTER_NAME: 'Demo Author',
  GIT_COMMITTER_EMAIL: 'author@example.com',
};
