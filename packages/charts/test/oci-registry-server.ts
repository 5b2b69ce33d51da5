import { createHash } from 'node:crypto';
import { answer, startLoopbackServer, type LoopbackServer } from './loopback-server.ts';

export interface PushOptions {
  readonly configType?: string;
  /** What the blob's address answers with instead of the archive. */
  readonly served?: Buffer;
  /** As the manifest has it. */
  readonly size?: number;
}

/** An OCI registry that speaks as much of the distribution protocol as a chart needs. */
export interface OciRegistryServer extends LoopbackServer {
  /** Helm's way: the tag is the version with `_` for `+`. */
  push(repository: string, tag: string, bytes: Buffer, options?: PushOptions): void;
  /** From now on every token that was given out is refused. */
  revokeTokens(): void;
}

export interface RegistryOptions {
  /** Who may read: everyone, who shows this header (`basic`), or who has a token that was given for it (`bearer`). */
  readonly auth?: { readonly scheme: 'basic' | 'bearer'; readonly authorization: string };
  /** Where tokens are; else `/token` of this server. */
  readonly realm?: string;
  readonly tokenLifetimeS?: number;
  readonly pageSize?: number;
  readonly tls?: boolean;
}

export async function startOciRegistry(options: RegistryOptions = {}): Promise<OciRegistryServer> {
  const { auth, tokenLifetimeS = 300, pageSize = 100 } = options;
  const tags = new Map<string, string[]>();
  const contents = new Map<string, Buffer>();
  let tokens = new Set<string>();
  let origin = '';

  const server = await startLoopbackServer((request, response) => {
    const url = new URL(request.url ?? '/', origin);
    const { authorization = '' } = request.headers;
    const send = (...reply: Parameters<typeof answer>): void => answer(...reply)(request, response);

    if (url.pathname === '/token') {
      if (authorization !== auth?.authorization) return send(401, '{}');
      const token = `token-${tokens.size + 1}-${url.searchParams.get('scope')}`;
      tokens.add(token);
      return send(200, JSON.stringify({ token, expires_in: tokenLifetimeS }));
    }
    if (auth?.scheme === 'basic' && authorization !== auth.authorization) {
      return send(401, '', { 'www-authenticate': 'Basic realm="registry"' });
    }
    if (auth?.scheme === 'bearer' && !tokens.has(authorization.replace(/^Bearer /, ''))) {
      const realm = options.realm ?? `${origin}/token`;
      return send(401, '', { 'www-authenticate': `Bearer realm="${realm}",service="fake registry",scope="all:*"` });
    }
    const [, repository = ''] = /^\/v2\/(.+)\/tags\/list$/.exec(url.pathname) ?? [];
    const known = tags.get(repository);
    if (known !== undefined) {
      const start = known.indexOf(url.searchParams.get('last') ?? '') + 1;
      const page = known.slice(start, start + pageSize);
      const next = `</v2/${repository}/tags/list?n=${pageSize}&last=${page.at(-1)}>; rel="next"`;
      const link = start + pageSize < known.length ? { link: next } : undefined;
      return send(200, JSON.stringify({ name: repository, tags: page }), link);
    }
    const content = contents.get(url.pathname);
    return send(content === undefined ? 404 : 200, content ?? '{"errors":[{"code":"NAME_UNKNOWN"}]}');
  }, options);
  origin = server.origin;

  return {
    ...server,
    push(repository, tag, bytes, { configType = 'application/vnd.cncf.helm.config.v1+json', served, size } = {}) {
      const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
      const layer = {
        mediaType: 'application/vnd.cncf.helm.chart.content.v1.tar+gzip',
        digest,
        size: size ?? bytes.length,
      };
      const manifest = { schemaVersion: 2, config: { mediaType: configType }, layers: [layer] };
      tags.set(repository, [...(tags.get(repository) ?? []), tag]);
      contents.set(`/v2/${repository}/manifests/${tag}`, Buffer.from(JSON.stringify(manifest)));
      contents.set(`/v2/${repository}/blobs/${digest}`, served ?? bytes);
    },
    revokeTokens: () => void (tokens = new Set()),
  };
}
