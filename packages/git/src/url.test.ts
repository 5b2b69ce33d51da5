import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PlumbError } from '@plumb/core';
import fc from 'fast-check';
import { isSameRepository, parseGitUrl } from './url.ts';

function codeOf(text: string): string | undefined {
  try {
    parseGitUrl(text);
    return undefined;
  } catch (error) {
    return error instanceof PlumbError ? error.code : String(error);
  }
}

test('https, ssh and the short form of ssh are read', () => {
  const https = parseGitUrl('HTTPS://GitHub.com:443/acme/shop.git/');
  const ssh = parseGitUrl('ssh://git@github.com:2222/acme/shop');
  const short = parseGitUrl('git@github.com:acme/shop.git');

  assert.equal(https.remote, 'https://github.com/acme/shop.git');
  assert.deepEqual(
    [ssh.remote, String(ssh), ssh.port],
    ['ssh://git@github.com:2222/acme/shop', 'ssh://github.com:2222/acme/shop', 2222],
  );
  assert.deepEqual([short.remote, String(short)], ['git@github.com:acme/shop.git', 'ssh://github.com/acme/shop.git']);
  assert.ok(isSameRepository(https, short));
  assert.ok(!isSameRepository(https, ssh));
});

test('plain http is for loopback only', () => {
  for (const host of ['127.0.0.1:8080', '127.9.9.9', '127.1', 'localhost', '[::1]:80']) {
    assert.equal(codeOf(`http://${host}/shop`), undefined, host);
  }
  for (const host of ['example.com', '10.0.0.1', 'localhost.example.com', '127.0.0.1.example.com', '[::2]']) {
    assert.equal(codeOf(`http://${host}/shop`), 'UrlScheme', host);
  }
});

test('what git would take as an option, a helper or a local path is refused', () => {
  const bad = [
    ...['-oProxyCommand=touch x', '--upload-pack=touch', 'ssh://-x/', 'ssh://-oProxyCommand=x/shop', 'ext::sh -c x'],
    ...['ext::sh', 'fd::17', 'file:///etc', 'file:/etc', 'git://example.com/shop', 'ftp://example.com/shop', ''],
    ...['/etc/passwd', './shop', '../shop', 'C:\\shop', 'C:/shop', 'host:shop', 'git@-host:shop', 'git@host:-shop'],
    ...['https://example.com', 'https://example.com/', 'https://example.com/../x', 'https://exa mple.com/x'],
    ...['https://example.com/x\n', 'https://example.com\\@evil.example/x', "ssh://git@host/a'b", 'ssh://git@host/a;b'],
    ...['ssh://$(x)@host/a', 'ssh://-l@host/a', 'a@ext::sh', 'https://exa..mple.com/x', 'https:///x', 'ssh://h/a/-b'],
  ];

  for (const text of bad) assert.equal(codeOf(text), 'UrlScheme', text);
});

test('a URL with a password, a token or a query is refused without repeating it', () => {
  const bad = [
    'https://reader:CANARY@example.com/shop',
    'https://CANARY@example.com/shop',
    'ssh://git:CANARY@example.com/shop',
    'https://example.com/shop?token=CANARY',
    'git:CANARY@example.com:shop',
  ];

  for (const text of bad) {
    assert.throws(
      () => parseGitUrl(text),
      (error) => error instanceof PlumbError && error.code === 'UrlCredentials' && !error.message.includes('CANARY'),
      text,
    );
  }
});

test('whatever is accepted names a scheme, a plain host and nothing that begins with a dash', () => {
  const piece = fc.constantFrom(
    'https',
    'ssh',
    'http',
    '://',
    '::',
    ':',
    '@',
    '-',
    '/',
    '.',
    'a',
    '%',
    '1',
    '[::1]',
    '?',
    ' ',
    '\n',
  );
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(piece).map((pieces) => pieces.join('')),
    fc.tuple(fc.constantFrom('https://', 'ssh://', 'git@'), fc.string()).map((parts) => parts.join('')),
    fc.constantFrom('https://a/a@-x', 'git@a:@-', 'ssh://a@-b/c', 'git@-a:b'),
  );

  fc.assert(
    fc.property(text, (given) => {
      const code = codeOf(given);
      if (code !== undefined) return assert.match(code, /^Url(?:Scheme|Credentials)$/);
      const url = parseGitUrl(given);
      assert.match(url.remote, /^(?:https:\/\/|ssh:\/\/|http:\/\/|\w[\w.-]*@)[^-]/);
      assert.doesNotMatch(url.remote, /[\s'"`$;&|<>\\]|:\/\/-|:-|\/-/);
      // Of the host alone: `a@-` is a plain name of a folder.
      assert.doesNotMatch(url.remote, /^(?:\w+:\/\/)?[^/:]*@-/);
      assert.equal(parseGitUrl(url.remote).canonical, url.canonical);
    }),
    { numRuns: 5000 },
  );
});
