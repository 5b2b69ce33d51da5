import { ManualClock } from '@plumb/test-support';
import type { GitHost, HostAddress, HostKind } from '../src/index.ts';
import { hostOf, openHost } from '../src/index.ts';
import { FAKE_BITBUCKET } from './fake-bitbucket.ts';
import type { Call, Dialect } from './fake-dialect.ts';
import { FAKE_GITEA } from './fake-gitea.ts';
import { FAKE_GITHUB } from './fake-github.ts';
import { FAKE_GITLAB } from './fake-gitlab.ts';
import { newState, type FakeState, type FakeUser } from './fake-state.ts';
import { startLoopbackServer, type LoopbackServer } from './loopback-server.ts';

const DIALECTS: Readonly<Record<HostKind, Dialect>> = {
  github: FAKE_GITHUB,
  gitlab: FAKE_GITLAB,
  gitea: FAKE_GITEA,
  bitbucket: FAKE_BITBUCKET,
};

export const KINDS = Object.keys(DIALECTS) as readonly HostKind[];

/** A Git host on loopback that speaks the API of one kind, with one repository. */
export interface FakeHost extends AsyncDisposable {
  readonly kind: HostKind;
  readonly server: LoopbackServer;
  readonly state: FakeState;
  readonly address: HostAddress;
}

export async function startFakeHost(kind: HostKind, options: { readonly tls?: boolean } = {}): Promise<FakeHost> {
  const dialect = DIALECTS[kind];
  const state = newState(kind === 'gitlab' ? 'acme/platform/shop' : 'acme/shop');
  const server = await startLoopbackServer(({ method, url, headers, body }, response) => {
    const call: Call = {
      method,
      url,
      headers,
      path: url.pathname.slice(dialect.root.length),
      query: url.searchParams,
      body: body === '' ? undefined : JSON.parse(body),
    };
    const reply = !dialect.isSignedIn(call, state)
      ? { status: 401, body: { message: 'Bad credentials' } }
      : (dialect.answer(call, state) ?? {
          status: 404,
          body: { message: `no such address: ${method} ${url.pathname}` },
        });
    const text = typeof reply.body === 'string' ? reply.body : JSON.stringify(reply.body);
    response.writeHead(reply.status, { 'content-type': 'application/json', ...reply.headers }).end(text);
  }, options);
  return {
    kind,
    server,
    state,
    address: hostOf(`${server.origin}/${state.project}.git`, { kind, api: `${server.origin}${dialect.root}` }),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** A fake host and our way to it, with time that stands still. */
export interface HostFixture extends AsyncDisposable {
  readonly fake: FakeHost;
  readonly host: GitHost;
  readonly clock: ManualClock;
}

export async function openFakeHost(
  kind: HostKind,
  options: { readonly token?: string; readonly account?: string } = {},
): Promise<HostFixture> {
  const fake = await startFakeHost(kind);
  const clock = new ManualClock();
  const { token = fake.state.token, account } = options;
  const host = openHost({
    address: fake.address,
    credentials: { token },
    clock,
    ...(account === undefined ? {} : { account }),
  });
  return {
    fake,
    host,
    clock,
    async [Symbol.asyncDispose]() {
      await host[Symbol.asyncDispose]();
      await fake[Symbol.asyncDispose]();
    },
  };
}

/** What a kind of host knows a user by. */
export function idOn(kind: HostKind, user: FakeUser): string {
  if (kind === 'gitlab') return String(user.id);
  return kind === 'bitbucket' ? user.uuid : user.login;
}
