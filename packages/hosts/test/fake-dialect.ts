import type { FakeState } from './fake-state.ts';
import type { Received } from './loopback-server.ts';

export interface Call {
  readonly method: string;
  /** Below the root of the API, still escaped. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Received['headers'];
  // eslint-disable-next-line typescript/no-explicit-any -- what a test sent, read as its host would read it
  readonly body: any;
  readonly url: URL;
}

export interface Reply {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** How one kind of host answers out of the same state. Undefined: there is no such address. */
export interface Dialect {
  /** Where the API lies on the server. */
  readonly root: string;
  isSignedIn(call: Call, state: FakeState): boolean;
  answer(call: Call, state: FakeState): Reply | undefined;
}

export interface PageCut<T> {
  readonly items: readonly T[];
  /** The address of the next page. */
  readonly next: string | undefined;
}

/** One page of a list, as large as was asked for, the state and the host allow. */
export function pageOf<T>(call: Call, state: FakeState, all: readonly T[], parameter: string, max: number): PageCut<T> {
  const size = Math.min(Number(call.query.get(parameter) ?? 30), max, state.pageSize);
  const page = Number(call.query.get('page') ?? 1);
  const items = all.slice((page - 1) * size, page * size);
  if (page * size >= all.length) return { items, next: undefined };
  const next = new URL(call.url);
  next.searchParams.set('page', String(page + 1));
  return { items, next: next.href };
}

/** A list with a `Link` header. */
export function linked<T>(
  call: Call,
  state: FakeState,
  all: readonly T[],
  parameter: string,
  write: (item: T) => unknown,
  max = 100,
): Reply {
  const { items, next } = pageOf(call, state, all, parameter, max);
  // Proxies in front of a host often leave it with another idea of its own name.
  const elsewhere = next?.replace(/^http:\/\/[^/]+/, 'https://inside.example');
  const link = `<${elsewhere}>; rel="next", <${elsewhere}>; rel="last"`;
  return { status: 200, body: items.map(write), ...(next === undefined ? {} : { headers: { link } }) };
}

/** The parts of a path that matches, unescaped. */
export function match(call: Call, method: string, pattern: RegExp): readonly string[] | undefined {
  const found = call.method === method ? pattern.exec(call.path) : null;
  return found?.slice(1).map(decodeURIComponent);
}

export const NOT_FOUND: Reply = { status: 404, body: { message: 'Not Found' } };
