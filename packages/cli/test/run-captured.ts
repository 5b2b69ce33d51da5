import { realClock } from '@plumb/test-support';
import assert from 'node:assert/strict';
import { OUTPUT_SCHEMAS } from '@plumb/api/output';
import { JSON_VERSION } from '../src/version.ts';
import { runCli } from '../src/cli.ts';
import type { Environment } from '../src/style.ts';

export interface CapturedRun {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  /** Default: a UTF-8 locale and nothing else. */
  readonly env?: Environment;
  readonly cwd?: string;
  /** Where state and caches go; default nowhere that exists. */
  readonly home?: string;
  readonly signal?: AbortSignal;
}

/** One command line in this process, with its streams caught. What it prints as JSON has to be as its schema says. */
export async function runCaptured(inputs: readonly string[], options: RunOptions = {}): Promise<CapturedRun> {
  let stdout = '';
  let stderr = '';
  const code = await runCli(inputs, {
    stdout: { write: (text) => void (stdout += text) },
    stderr: { write: (text) => void (stderr += text) },
    env: { LANG: 'C.UTF-8', ...options.env },
    cwd: options.cwd ?? '/nonexistent',
    home: options.home ?? '/nonexistent',
    clock: realClock,
    signal: options.signal ?? new AbortController().signal,
  });
  checkOutput(stdout);
  return { code, stdout, stderr };
}

function checkOutput(text: string): void {
  const document = decoded(text);
  if (document?.apiVersion !== JSON_VERSION || document.kind === undefined) return;
  const schema = OUTPUT_SCHEMAS.get(document.kind);
  assert.ok(schema !== undefined, `${document.kind} has no schema in packages/api/src/output`);
  const result = schema.safeParse(document);
  assert.ok(result.success, `${document.kind}: ${result.error?.message ?? ''}`);
}

function decoded(text: string): { readonly apiVersion?: string; readonly kind?: string } | undefined {
  if (!text.startsWith('{')) return undefined;
  try {
    return JSON.parse(text) as object;
  } catch {
    // Several documents, a line each.
    return undefined;
  }
}
