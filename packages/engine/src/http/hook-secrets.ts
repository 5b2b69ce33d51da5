import type { Repository } from '@plumb/api';
import type { Clock } from '@plumb/core';
import type { ReadSecret } from '../named-data.ts';
import { isSameVersion } from '../source.ts';
import type { NamespacedName } from '../targets.ts';

/** A changed Secret counts after this long at the latest, even where the old one still signs. */
const FRESH_MS = 5 * 60_000;
/** Whatever is sent by whomever costs the API server no more than one read of a repository's secret in this time. */
const REREAD_MS = 5_000;

export interface HookSecretsOptions {
  readonly clock: Clock;
  repository(name: NamespacedName): Repository | undefined;
  readonly readSecret: ReadSecret;
  /** For the reads: of the engine, since one read answers several deliveries. */
  readonly signal: AbortSignal;
}

interface Known {
  /** What the secret was read for: another spec may name another one. */
  readonly repository: Repository;
  /** Monotonic milliseconds. */
  readonly readAt: number;
  /** Undefined where there is none, or where it could not be read. */
  readonly secret: Promise<Uint8Array | undefined>;
}

/**
 * The secrets that deliveries are signed with, kept for five minutes, so that a delivery costs the API server nothing. A
 * signature that does not match may be one with a newer secret, so the secret is then read again: every five seconds at most.
 */
export class HookSecrets {
  readonly #options: HookSecretsOptions;
  readonly #known = new Map<NamespacedName, Known>();

  constructor(options: HookSecretsOptions) {
    this.#options = options;
  }

  /** Whether `isSigned` says yes to the repository's secret. False also where the repository or its secret does not exist. */
  async accepts(name: NamespacedName, isSigned: (secret: Uint8Array) => boolean): Promise<boolean> {
    const repository = this.#options.repository(name);
    if (repository?.spec.webhook === undefined) {
      this.#known.delete(name);
      return false;
    }
    const matches = async ({ secret }: Known): Promise<boolean> => {
      const bytes = await secret;
      return bytes !== undefined && isSigned(bytes);
    };
    const known = this.#known.get(name);
    const isCurrent = known !== undefined && isSameVersion(known.repository, repository);
    if (!isCurrent || this.#ageMs(known) >= FRESH_MS) return matches(this.#read(name, repository));
    if (await matches(known)) return true;
    // Read again, unless that was just done, by another delivery perhaps.
    const latest = this.#known.get(name) ?? known;
    if (this.#ageMs(latest) < REREAD_MS) return latest !== known && (await matches(latest));
    return matches(this.#read(name, repository));
  }

  #ageMs({ readAt }: Known): number {
    return this.#options.clock.monotonic() - readAt;
  }

  #read(name: NamespacedName, repository: Repository): Known {
    const { clock, readSecret, signal } = this.#options;
    const ref = repository.spec.webhook?.secretRef;
    const secret =
      ref === undefined
        ? Promise.resolve(undefined)
        : readSecret(repository.metadata.namespace, ref.name, { signal }).then(
            (data) => data?.[ref.key],
            () => undefined,
          );
    const known = { repository, readAt: clock.monotonic(), secret };
    this.#known.set(name, known);
    return known;
  }
}
