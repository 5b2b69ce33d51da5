import { readFile } from 'node:fs/promises';
import { Agent, request } from 'node:https';
import { json } from 'node:stream/consumers';
import { startCluster } from '@plumb/controlplane';
import { realClock } from './clock.ts';

/** A real cluster for tests, which share it: each test takes a namespace of its own. */
export interface TestCluster {
  /** Path of a kubeconfig with cluster-admin's bearer token. */
  readonly kubeconfig: string;
  readonly server: string;
  readonly adminToken: string;
  /** The certificate authority of the API server, PEM. */
  readonly ca: string;
  /**
   * Creates a namespace with a fresh name that begins with `prefix`, and answers the name. It is never deleted: that takes
   * seconds, and the cluster is thrown away.
   */
  namespace(prefix: string): Promise<string>;
  /** Waits until the API server lets a user do something: its authorizer learns of a rule a moment after it was written. */
  untilAllowed(access: Access): Promise<void>;
  /** One plain call as cluster-admin, by nothing of ours: how tests look at what our client did. */
  request(method: string, path: string, options?: ApiRequestOptions): Promise<ApiAnswer>;
}

interface Access {
  readonly user: string;
  readonly groups?: readonly string[];
  readonly namespace: string;
  readonly verb: string;
  /** Default: the core group. */
  readonly group?: string;
  readonly resource: string;
}

/** Each look is a round trip: more of them than this, and the rule is not the one that was meant. */
const MAX_LOOKS = 2_000;

export interface ApiRequestOptions {
  readonly body?: unknown;
  /** Default `application/json`; a patch needs its own, for example `application/apply-patch+yaml`. */
  readonly contentType?: string;
  /** Default `application/json`. */
  readonly accept?: string;
  /** Acts as this user, with the rights of cluster-admin. */
  readonly as?: string;
  readonly userAgent?: string;
}

export interface ApiAnswer {
  readonly status: number;
  readonly body: unknown;
}

let shared: Promise<TestCluster> | undefined;

/**
 * The one cluster of this test run: the one that `PLUMB_TEST_KUBECONFIG` names (`npm test` sets it), or else one that is
 * started for this process at the first call, and ends with it.
 */
export function sharedCluster(): Promise<TestCluster> {
  shared ??= openSharedCluster();
  return shared;
}

async function openSharedCluster(): Promise<TestCluster> {
  const given = process.env['PLUMB_TEST_KUBECONFIG'];
  if (given) return await openTestCluster(given);

  const cluster = await startCluster({
    clock: realClock,
    signal: new AbortController().signal,
    report: (line) => process.stderr.write(`${line}\n`),
  });
  return await openTestCluster(cluster.kubeconfig);
}

/** A cluster by its kubeconfig: one context with a bearer token, as `startCluster` writes it. */
export async function openTestCluster(kubeconfig: string): Promise<TestCluster> {
  const text = await readFile(kubeconfig, 'utf8');
  const field = (name: string): string => {
    const value = new RegExp(`"?${name}"?:\\s*"?([^\\s",]+)`).exec(text)?.[1];
    if (value === undefined) throw new Error(`${kubeconfig} has no ${name}: tests need a kubeconfig with a token`);
    return value;
  };
  const server = field('server');
  const adminToken = field('token');
  const ca = Buffer.from(field('certificate-authority-data'), 'base64').toString();
  const agent = new Agent({ ca, keepAlive: true });

  const call: TestCluster['request'] = async (method, path, options = {}) => {
    const { body, contentType = 'application/json', accept = 'application/json', as, userAgent } = options;
    const { promise, resolve, reject } = Promise.withResolvers<ApiAnswer>();
    const headers = {
      authorization: `Bearer ${adminToken}`,
      accept,
      'content-type': contentType,
      ...(as === undefined ? {} : { 'impersonate-user': as, 'impersonate-group': 'system:masters' }),
      ...(userAgent === undefined ? {} : { 'user-agent': userAgent }),
    };
    const sent = request(new URL(path, server), { method, agent, headers }, (response) => {
      json(response).then((answer) => resolve({ status: response.statusCode ?? 0, body: answer }), reject);
    });
    sent.on('error', reject);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
    return await promise;
  };

  return {
    kubeconfig,
    server,
    adminToken,
    ca,
    request: call,
    async untilAllowed({ user, groups = [], namespace, verb, group = '', resource }) {
      const spec = { user, groups, resourceAttributes: { namespace, verb, group, resource } };
      for (let look = 0; look < MAX_LOOKS; look += 1) {
        const answer = await call('POST', '/apis/authorization.k8s.io/v1/subjectaccessreviews', { body: { spec } });
        if ((answer.body as { readonly status?: { readonly allowed?: boolean } }).status?.allowed === true) return;
      }
      throw new Error(`${user} may not ${verb} ${resource} in ${namespace}`);
    },
    async namespace(prefix) {
      const answer = await call('POST', '/api/v1/namespaces', { body: { metadata: { generateName: `${prefix}-` } } });
      const created = answer.body as { readonly metadata?: { readonly name?: string } };
      const name = created.metadata?.name;
      if (answer.status !== 201 || name === undefined) {
        throw new Error(`the namespace ${prefix} was not created: ${JSON.stringify(answer.body)}`);
      }
      return name;
    },
  };
}
