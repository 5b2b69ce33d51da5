import { readFile } from 'node:fs/promises';
import { PlumbError, type Clock } from '@plumb/core';
import { runExecCommand, type ExecCredential } from './exec-command.ts';
import type { ClientCertificate, ClusterConfig } from './kubeconfig.ts';
import { SingleFlight } from './single-flight.ts';

/** What one request identifies itself with. The same value (`===`) as long as nothing is renewed. */
export interface Credential {
  readonly authorization: string | undefined;
  readonly certificate: ClientCertificate | undefined;
}

export interface Credentials {
  /** The credential for a request. A value, not a promise, whenever nothing has to be read or run. */
  current(options: { readonly signal: AbortSignal }): Credential | Promise<Credential>;
  /**
   * Says that the server refused this credential (401). True where another one is at hand now, so that the request is
   * worth a second try.
   */
  renew(refused: Credential, options: { readonly signal: AbortSignal }): Promise<boolean>;
}

const TOKEN_FILE_AGE_MS = 60_000;
/** A credential is replaced this long before its end: clocks differ, and requests take time. */
const EXPIRY_MARGIN_MS = 30_000;

/** `signal` ends what the credentials run on behalf of all callers. */
export function openCredentials(config: ClusterConfig, clock: Clock, signal: AbortSignal): Credentials {
  const { auth, certificate } = config;
  switch (auth.type) {
    case 'none':
      return fixed({ authorization: undefined, certificate });
    case 'token':
      return fixed({ authorization: `Bearer ${auth.token}`, certificate });
    case 'token-file':
      return tokenFile(auth.path, certificate, clock, signal);
    case 'exec':
      return renewable(clock, async () => {
        const given = await runExecCommand(auth.command, { signal });
        return { credential: ofExec(given, certificate), until: untilOf(given, clock) };
      });
  }
}

function fixed(credential: Credential): Credentials {
  return { current: () => credential, renew: () => Promise.resolve(false) };
}

function tokenFile(
  path: string,
  certificate: ClientCertificate | undefined,
  clock: Clock,
  signal: AbortSignal,
): Credentials {
  let last: Credential | undefined;
  return renewable(clock, async () => {
    const authorization = `Bearer ${await readToken(path, signal)}`;
    if (last?.authorization !== authorization) last = { authorization, certificate };
    return { credential: last, until: clock.monotonic() + TOKEN_FILE_AGE_MS };
  });
}

interface Renewed {
  readonly credential: Credential;
  /** On the monotonic clock. */
  readonly until: number;
}

function renewable(clock: Clock, obtain: () => Promise<Renewed>): Credentials {
  let held: Renewed | undefined;
  const flight = new SingleFlight(async () => {
    held = await obtain();
    return held.credential;
  });
  return {
    current: (options) =>
      held !== undefined && clock.monotonic() < held.until ? held.credential : flight.run(options),
    async renew(refused, options) {
      // Many requests are refused together; only the first still finds the refused one in use.
      if (held !== undefined && held.credential !== refused) return true;
      return (await flight.run(options)) !== refused;
    },
  };
}

function ofExec(given: ExecCredential, fallback: ClientCertificate | undefined): Credential {
  return {
    authorization: given.token === undefined ? undefined : `Bearer ${given.token}`,
    certificate: given.certificate ?? fallback,
  };
}

/** The end is a wall-clock time; what is left of it is measured on the monotonic clock, which no one sets. */
function untilOf(given: ExecCredential, clock: Clock): number {
  if (given.expiresAt === undefined) return Infinity;
  return clock.monotonic() + Math.max(0, given.expiresAt - clock.now() - EXPIRY_MARGIN_MS);
}

async function readToken(path: string, signal: AbortSignal): Promise<string> {
  let token: string;
  try {
    token = (await readFile(path, { encoding: 'utf8', signal })).trim();
  } catch (cause) {
    if (signal.aborted) throw cause;
    throw new PlumbError('KubeconfigInvalid', `the token file ${path} cannot be read`, {
      cause,
      where: { file: path },
    });
  }
  if (token === '')
    throw new PlumbError('KubeconfigInvalid', `the token file ${path} is empty`, { where: { file: path } });
  return token;
}
