import { openTestCluster } from '@plumb/test-support';
import { Pool } from 'undici';

/** A bare client: what the floor is made of, and how the measurement looks at the cluster. */
export interface Api extends AsyncDisposable {
  text(path: string): Promise<string>;
  json(method: 'GET' | 'POST', path: string, body?: unknown): Promise<unknown>;
  apply(path: string, body: string): Promise<void>;
  /** A deletion, or a merge patch. */
  send(method: 'DELETE' | 'PATCH', path: string, body?: unknown): Promise<void>;
  /** Calls back for each event, from the state of the cluster at the call on. */
  watch(path: string, onEvent: (event: WatchEvent) => void): Promise<Disposable>;
}

export interface WatchEvent {
  readonly type: string;
  readonly object: Readonly<Record<string, unknown>>;
}

export async function openApi(kubeconfig: string, connections: number): Promise<Api> {
  const { server, ca, adminToken } = await openTestCluster(kubeconfig);
  const connect = { ca };
  const calls = new Pool(server, { connections, pipelining: 1, connect, keepAliveTimeout: 60_000 });
  const watches = new Pool(server, { pipelining: 1, connect, bodyTimeout: 0 });
  const authorization = `Bearer ${adminToken}`;

  async function call(
    method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
    path: string,
    body?: string,
    contentType = method === 'PATCH' ? 'application/apply-patch+yaml' : 'application/json',
  ): Promise<string> {
    const headers = { authorization, accept: '*/*', ...(body === undefined ? {} : { 'content-type': contentType }) };
    const answer = await calls.request({ method, path, headers, ...(body === undefined ? {} : { body }) });
    const text = await answer.body.text();
    if (answer.statusCode >= 300) throw new Error(`${method} ${path}: ${answer.statusCode} ${text.slice(0, 500)}`);
    return text;
  }

  const api: Api = {
    text: (path) => call('GET', path),
    async json(method, path, body) {
      return JSON.parse(await call(method, path, body === undefined ? undefined : JSON.stringify(body))) as unknown;
    },
    async apply(path, body) {
      await call('PATCH', path, body);
    },
    async send(method, path, body) {
      await call(method, path, body === undefined ? undefined : JSON.stringify(body), 'application/merge-patch+json');
    },
    async watch(path, onEvent) {
      const { metadata } = (await api.json('GET', `${path}${path.includes('?') ? '&' : '?'}limit=1`)) as {
        metadata: { resourceVersion: string };
      };
      const stop = new AbortController();
      const query = `watch=1&timeoutSeconds=7200&resourceVersion=${metadata.resourceVersion}`;
      const { body, statusCode } = await watches.request({
        method: 'GET',
        path: `${path}${path.includes('?') ? '&' : '?'}${query}`,
        headers: { authorization, accept: 'application/json' },
        signal: stop.signal,
      });
      if (statusCode !== 200) throw new Error(`watch ${path}: ${statusCode} ${await body.text()}`);
      void (async () => {
        let rest = '';
        body.setEncoding('utf8');
        for await (const chunk of body as AsyncIterable<string>) {
          const lines = (rest + chunk).split('\n');
          rest = lines.pop() ?? '';
          for (const line of lines) onEvent(JSON.parse(line) as WatchEvent);
        }
      })().catch((error: unknown) => {
        if (!stop.signal.aborted) throw error;
      });
      return { [Symbol.dispose]: () => stop.abort() };
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([calls.destroy(), watches.destroy()]);
    },
  };
  return api;
}
