import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { fieldAt, isJsonArray, isJsonObject, PlumbError, type Json, type JsonObject } from '@plumb/core';
import type { ClientCertificate } from './kubeconfig.ts';
import { decodeJson } from './decode.ts';

/** A credential plug-in, as the user's own kubeconfig names it. */
export interface ExecCommand {
  readonly command: string;
  readonly args: readonly string[];
  /** The whole environment it gets. */
  readonly env: Readonly<Record<string, string>>;
  readonly apiVersion: string;
  readonly installHint: string | undefined;
  readonly provideClusterInfo: boolean;
  readonly clusterInfo?: Readonly<Record<string, unknown>>;
}

/** What a plug-in gave, and until when it is good (milliseconds since the epoch); without an end, until it is refused. */
export interface ExecCredential {
  readonly token: string | undefined;
  readonly certificate: ClientCertificate | undefined;
  readonly expiresAt: number | undefined;
}

const API_VERSIONS = ['client.authentication.k8s.io/v1', 'client.authentication.k8s.io/v1beta1'];
const TIMEOUT_MS = 60_000;
const MAX_OUTPUT_BYTES = 1024 * 1024;

/** Reads the `exec` entry of a kubeconfig user, or says which field cannot be used and why. */
export function execCommand(
  exec: Json,
  place: { readonly dir: string; readonly env: Readonly<Record<string, string | undefined>> },
): { readonly command: ExecCommand } | { readonly field: string; readonly problem: string } {
  const command = fieldAt(exec, 'command');
  const apiVersion = fieldAt(exec, 'apiVersion');
  const args = fieldAt(exec, 'args') ?? [];
  const installHint = fieldAt(exec, 'installHint');
  if (typeof command !== 'string' || command === '') return { field: 'command', problem: 'there is no command' };
  if (typeof apiVersion !== 'string' || !API_VERSIONS.includes(apiVersion)) {
    return { field: 'apiVersion', problem: `this must be one of ${API_VERSIONS.join(', ')}` };
  }
  if (!isTexts(args)) return { field: 'args', problem: 'this is no list of texts' };
  if (fieldAt(exec, 'interactiveMode') === 'Always') {
    return { field: 'interactiveMode', problem: 'a plug-in that always asks at the terminal cannot serve the engine' };
  }
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(place.env)) if (value !== undefined) env[name] = value;
  for (const entry of asList(fieldAt(exec, 'env'))) {
    const name = fieldAt(entry, 'name');
    const value = fieldAt(entry, 'value');
    if (typeof name !== 'string' || typeof value !== 'string')
      return { field: 'env', problem: 'each needs name and value' };
    env[name] = value;
  }
  return {
    command: {
      // A bare name is looked up in PATH; one with a slash stands beside the kubeconfig.
      command: /[/\\]/.test(command) ? resolve(place.dir, command) : command,
      args,
      env,
      apiVersion,
      installHint: typeof installHint === 'string' ? installHint.trim() : undefined,
      provideClusterInfo: fieldAt(exec, 'provideClusterInfo') === true,
    },
  };
}

/**
 * Runs the plug-in once, without a shell and without a terminal, for at most a minute. Throws `ClusterUnauthorized` with
 * what it wrote to standard error; standard output is never shown, for it holds the credential.
 */
export async function runExecCommand(
  exec: ExecCommand,
  options: { readonly signal: AbortSignal },
): Promise<ExecCredential> {
  const info = {
    apiVersion: exec.apiVersion,
    kind: 'ExecCredential',
    spec: { interactive: false, ...(exec.clusterInfo === undefined ? {} : { cluster: exec.clusterInfo }) },
  };
  const env = { ...exec.env, KUBERNETES_EXEC_INFO: JSON.stringify(info) };
  const output = await run(exec, env, options.signal);
  return readCredential(exec, decodeJson(output, `credential plug-in ${exec.command}`));
}

function run(exec: ExecCommand, env: Readonly<Record<string, string>>, signal: AbortSignal): Promise<Buffer> {
  return new Promise<Buffer>((resolvePromise, reject) => {
    const child = execFile(
      exec.command,
      [...exec.args],
      { env, signal, timeout: TIMEOUT_MS, maxBuffer: MAX_OUTPUT_BYTES, encoding: 'buffer' },
      (error, stdout, stderr) => {
        if (error === null) resolvePromise(stdout);
        else if (signal.aborted) reject(signal.reason);
        else reject(failure(exec, error, stderr));
      },
    );
    child.stdin?.end();
  });
}

function failure(exec: ExecCommand, error: Error, stderr: Buffer): PlumbError {
  const missing = fieldAt(error, 'code') === 'ENOENT';
  const said = stderr.subarray(-500).toString('utf8').trim();
  const words = missing ? 'it is not installed' : said === '' ? 'it failed' : said;
  return new PlumbError('ClusterUnauthorized', `credential plug-in ${exec.command}: ${words}`, {
    fix: missing ? (exec.installHint ?? `Install ${exec.command}, or correct the kubeconfig.`) : undefined,
  });
}

function readCredential(exec: ExecCommand, value: unknown): ExecCredential {
  const status = isJsonObject(value) ? value['status'] : undefined;
  if (
    fieldAt(value, 'kind') !== 'ExecCredential' ||
    fieldAt(value, 'apiVersion') !== exec.apiVersion ||
    !isJsonObject(status)
  ) {
    throw invalidOutput(exec, `it gave no ExecCredential of ${exec.apiVersion}`);
  }
  const token = textField(status, 'token');
  const cert = textField(status, 'clientCertificateData');
  const key = textField(status, 'clientKeyData');
  if (token === undefined && (cert === undefined || key === undefined)) {
    throw invalidOutput(exec, 'it gave neither a token nor a certificate with its key');
  }
  const expiry = textField(status, 'expirationTimestamp');
  const expiresAt = expiry === undefined ? undefined : Date.parse(expiry);
  if (expiresAt !== undefined && Number.isNaN(expiresAt))
    throw invalidOutput(exec, 'its expirationTimestamp is no time');
  return { token, certificate: cert !== undefined && key !== undefined ? { cert, key } : undefined, expiresAt };
}

function invalidOutput(exec: ExecCommand, problem: string): PlumbError {
  return new PlumbError('ClusterUnauthorized', `credential plug-in ${exec.command}: ${problem}`);
}

function textField(status: JsonObject, field: string): string | undefined {
  const value = status[field];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function isTexts(value: Json): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

function asList(value: Json | undefined): readonly Json[] {
  return isJsonArray(value) ? value : [];
}
