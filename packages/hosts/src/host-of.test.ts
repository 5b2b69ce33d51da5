import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PlumbError } from '@plumb/core';
import fc from 'fast-check';
import { hostOf } from './host-of.ts';

test('hosts that are known by name need nothing else, over https and over ssh', () => {
  const cases: readonly (readonly [url: string, kind: string, api: string, project: string])[] = [
    ['https://github.com/acme/shop.git', 'github', 'https://api.github.com', 'acme/shop'],
    ['https://github.com/acme/shop/', 'github', 'https://api.github.com', 'acme/shop'],
    ['HTTPS://GitHub.com/acme/shop', 'github', 'https://api.github.com', 'acme/shop'],
    ['git@github.com:acme/shop.git', 'github', 'https://api.github.com', 'acme/shop'],
    ['ssh://git@ssh.github.com:443/acme/shop.git', 'github', 'https://api.github.com', 'acme/shop'],
    ['https://gitlab.com/acme/platform/shop.git', 'gitlab', 'https://gitlab.com/api/v4', 'acme/platform/shop'],
    ['git@gitlab.com:acme/shop.git', 'gitlab', 'https://gitlab.com/api/v4', 'acme/shop'],
    ['https://bitbucket.org/acme/shop.git', 'bitbucket', 'https://api.bitbucket.org/2.0', 'acme/shop'],
    ['ssh://git@altssh.bitbucket.org:443/acme/shop', 'bitbucket', 'https://api.bitbucket.org/2.0', 'acme/shop'],
    ['https://codeberg.org/acme/shop.git', 'gitea', 'https://codeberg.org/api/v1', 'acme/shop'],
  ];

  for (const [url, kind, api, project] of cases) assert.deepEqual(hostOf(url), { kind, api, project }, url);
});

test("one's own host is told by its kind, and its API found where the host puts it or where it is said to be", () => {
  const at = (url: string, options: Parameters<typeof hostOf>[1]) => {
    const { api, project } = hostOf(url, options);
    return [api, project];
  };

  const url = 'https://git.example.com:8443/acme/shop.git';
  assert.deepEqual(at(url, { kind: 'github' }), ['https://git.example.com:8443/api/v3', 'acme/shop']);
  assert.deepEqual(at(url, { kind: 'gitlab' }), ['https://git.example.com:8443/api/v4', 'acme/shop']);
  assert.deepEqual(at(url, { kind: 'gitea' }), ['https://git.example.com:8443/api/v1', 'acme/shop']);
  // The port of ssh is not that of the API.
  assert.deepEqual(at('ssh://git@git.example.com:2222/acme/shop', { kind: 'gitea' }), [
    'https://git.example.com/api/v1',
    'acme/shop',
  ]);
  assert.deepEqual(
    at('ssh://git@ssh.example.com/acme/shop', { kind: 'gitea', api: 'https://web.example.com/api/v1/' }),
    ['https://web.example.com/api/v1', 'acme/shop'],
  );
  const below = { kind: 'gitlab', api: 'https://example.com/git/api/v4' } as const;
  assert.deepEqual(at('https://example.com/git/acme/platform/shop.git', below), [below.api, 'acme/platform/shop']);
  assert.deepEqual(at('git@example.com:acme/platform/shop.git', below), [below.api, 'acme/platform/shop']);
});

test('a host of unknown kind is refused, and what is no repository as well', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['https://git.example.com/acme/shop.git', 'HostUnknown'],
    ['https://github.com.example.com/acme/shop.git', 'HostUnknown'],
    ['git@git.example.com:acme/shop', 'HostUnknown'],
    ['https://github.com/acme', 'UrlScheme'],
    ['https://github.com/acme/platform/shop', 'UrlScheme'],
    ['https://gitlab.com/shop', 'UrlScheme'],
    ['https://github.com/acme/..', 'UrlScheme'],
    ['https://github.com/../acme', 'UrlScheme'],
    ['https://github.com/acme/sh%2fop', 'UrlScheme'],
    ['https://github.com/acme/shop?x=y', 'UrlScheme'],
    ['file:///srv/shop.git', 'UrlScheme'],
    ['/srv/shop.git', 'UrlScheme'],
    ['', 'UrlScheme'],
  ];

  for (const [url, code] of cases) assert.throws(() => hostOf(url), { code }, url);
});

test('Bitbucket Data Center, whose API is another one, is refused before it is asked', () => {
  assert.throws(() => hostOf('https://git.example.com/acme/shop', { kind: 'bitbucket' }), { code: 'HostUnknown' });
});

test('the API is asked over https only, unless it is on this machine', () => {
  const kind = 'gitea';
  const url = 'https://git.example.com/acme/shop';
  assert.throws(() => hostOf(url, { kind, api: 'http://git.example.com/api/v1' }), { code: 'UrlScheme' });
  assert.throws(() => hostOf('http://git.example.com/acme/shop', { kind }), { code: 'UrlScheme' });
  assert.throws(() => hostOf(url, { kind, api: 'https://me:CANARY@git.example.com/api/v1' }), {
    code: 'UrlCredentials',
  });
  assert.equal(hostOf('http://127.0.0.1:3000/acme/shop', { kind }).api, 'http://127.0.0.1:3000/api/v1');
});

test('whatever the address, the project holds nothing that means something in a path, and a password is never repeated', () => {
  const piece = fc.constantFrom(
    'https://',
    'github.com',
    '/',
    'acme',
    '..',
    '%2e',
    '@',
    ':',
    '?',
    '#',
    '\\',
    'é',
    '\n',
    '.git',
  );
  const url = fc.oneof(
    fc.string(),
    fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join('')),
  );

  fc.assert(
    fc.property(url, fc.constantFrom('github', 'gitlab', 'gitea', 'bitbucket'), (text, kind) => {
      try {
        const { project, api } = hostOf(text, { kind });
        assert.match(project, /^[A-Za-z0-9_.~+-]+(?:\/[A-Za-z0-9_.~+-]+)+$/);
        assert.equal(new URL(`${api}/repos/${project}`).pathname.endsWith(`/repos/${project}`), true);
      } catch (error) {
        assert.ok(error instanceof PlumbError, String(error));
      }
    }),
    { numRuns: 2_000 },
  );
  assert.throws(
    () => hostOf('https://me:CANARY@'),
    (error) => error instanceof PlumbError && !error.message.includes('CANARY'),
  );
});
