import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

export interface TemporaryFolder extends AsyncDisposable {
  readonly path: string;
  write(files: Readonly<Record<string, string>>): Promise<void>;
  writeBytes(name: string, content: Uint8Array): Promise<void>;
}

/** A folder of its own with these files. */
export async function folderWith(files: Readonly<Record<string, string>>): Promise<TemporaryFolder> {
  const path = await mkdtemp(join(tmpdir(), 'plumb-cli-'));
  async function write(more: Readonly<Record<string, string>>): Promise<void> {
    for (const [name, content] of Object.entries(more)) {
      await mkdir(dirname(join(path, name)), { recursive: true });
      await writeFile(join(path, name), content);
    }
  }
  await write(files);
  return {
    path,
    write,
    writeBytes: (name, content) => writeFile(join(path, name), content),
    [Symbol.asyncDispose]: () => rm(path, { recursive: true }),
  };
}
