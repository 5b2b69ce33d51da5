import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseOciReference, parseSource } from './source.ts';

function origin(url: string, options?: { overTls: boolean }): string {
  return parseSource({ url, name: 'web', version: '' }, options).origin;
}

test('credentials are bound to scheme, host and port', () => {
  assert.deepEqual(parseSource({ url: 'https://Charts.example.com:443/stable/', name: 'web', version: '' }), {
    kind: 'repository',
    origin: 'https://charts.example.com',
    path: 'stable',
    name: 'web',
    shown: 'https://charts.example.com:443/stable/web',
  });
  assert.equal(origin('oci://registry.example.com:5000/a/b'), 'https://registry.example.com:5000');
  assert.equal(
    origin('https://gitlab.example.com/api/v4/projects/a%2Fb/packages/helm/stable'),
    'https://gitlab.example.com',
  );
  assert.equal(origin('oci://docker.io/library'), 'https://registry-1.docker.io');
});

test('plain http is for loopback, and a registry there is asked over TLS where an authority is given', () => {
  assert.equal(origin('http://127.0.0.1:8080/charts'), 'http://127.0.0.1:8080');
  assert.equal(origin('oci://localhost:5000'), 'http://localhost:5000');
  assert.equal(origin('oci://[::1]:5000/a'), 'http://[::1]:5000');
  assert.equal(origin('oci://localhost:5000', { overTls: true }), 'https://localhost:5000');
  assert.throws(() => origin('http://charts.example.com'), { code: 'UrlScheme' });
  assert.throws(() => origin('http://127.0.0.1.example.com'), { code: 'UrlScheme' });
});

test('an address that is more than a host and a plain path is refused and not repeated', () => {
  for (const url of [
    'ftp://h/x',
    'h/x',
    '',
    'https://',
    'https:///x',
    'https://h/../x',
    'https://h/%2e%2e/x',
    'https://h/a b',
  ]) {
    assert.throws(() => origin(url), { code: 'UrlScheme' }, url);
  }
  for (const url of ['https://h\\@other/x', 'https://h/a\\b', 'https://h/a\nb', `https://h/${'a'.repeat(3000)}`]) {
    assert.throws(() => origin(url), /refused/, url);
  }
  for (const url of ['https://user:s3cret@h/x', 'https://h/x?token=s3cret', 'oci://h/x#s3cret']) {
    assert.throws(
      () => origin(url),
      (error: Error & { code?: string }) => error.code === 'UrlCredentials' && !error.message.includes('s3cret'),
    );
  }
});

test('a name is no path', () => {
  for (const name of ['', '.', '..', 'a/b', 'a..b', 'a b', 'a%2fb', 'a:b']) {
    assert.throws(() => parseSource({ url: 'https://h', name, version: '' }), { code: 'SpecInvalid', field: 'name' });
  }
});

test('a reference into a registry ends in a tag', () => {
  const reference = parseOciReference('oci://registry.example.com/charts/web:1.2.3_b1');

  assert.equal(reference?.tag, '1.2.3_b1');
  assert.equal(reference?.place.shown, 'oci://registry.example.com/charts/web');
  for (const text of [
    'oci://h/web',
    'oci://h:5000/web',
    'oci://h/web:',
    'oci://h/a/..:1',
    'oci://u:p@h/web:1',
    'https://h/web:1',
  ]) {
    assert.equal(parseOciReference(text), undefined, text);
  }
});
