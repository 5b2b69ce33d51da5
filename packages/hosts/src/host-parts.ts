import type { HostClient } from './host-client.ts';

/** What the clients of all kinds are made of. */
export interface HostParts {
  readonly client: HostClient;
  /** `acme/shop`, checked to hold nothing that would have to be escaped in a path. */
  readonly project: string;
  /** The id of the account that the token belongs to; undefined where the host does not tell. */
  readonly account: (options: { readonly signal: AbortSignal }) => Promise<string | undefined>;
  /** Ends all connections. */
  readonly close: () => Promise<void>;
}
