import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { PlumbError, Result } from '@plumb/core';
import { decodeApplication, decodeRepository } from './decode.ts';
import type { ApplicationSpecInput, RepositorySpecInput } from './kinds.ts';

function application(spec: unknown): unknown {
  return { apiVersion: 'plumb.dev/v1alpha1', kind: 'Application', metadata: { name: 'shop', namespace: 'team' }, spec };
}

function repository(spec: unknown): unknown {
  return { apiVersion: 'plumb.dev/v1alpha1', kind: 'Repository', metadata: { name: 'shop', namespace: 'team' }, spec };
}

function valueOf<T>(result: Result<T, PlumbError>): T {
  if (!result.ok) throw result.error;
  return result.value;
}

function errorOf(result: Result<unknown, PlumbError>): PlumbError {
  if (result.ok) assert.fail('it was accepted');
  assert.equal(result.error.code, 'SpecInvalid');
  return result.error;
}

test('the smallest Application is decoded with every default filled in', () => {
  const spec: ApplicationSpecInput = { source: { repository: 'shop' } };

  const decoded = valueOf(decodeApplication(application(spec)));

  assert.deepEqual(decoded, {
    apiVersion: 'plumb.dev/v1alpha1',
    kind: 'Application',
    metadata: { name: 'shop', namespace: 'team' },
    spec: {
      source: { repository: 'shop', path: '' },
      conflicts: 'report',
      timeout: '10m',
      deletion: { maxObjects: 25, maxPercent: 20 },
    },
  });
});

test('an Application with everything in it is decoded as it is written', () => {
  const spec = {
    source: { repository: 'platform', path: 'apps/checkout' },
    render: {
      values: { replicas: 2, nested: { a: [1, null, 'x'] } },
      valuesFiles: ['values.yaml', 'more/values.yaml'],
      manifests: { include: '**/*.yaml', exclude: ['test/**'] },
      release: 'checkout',
    },
    environments: [
      { name: 'dev' },
      { name: 'prod', namespace: 'pay', values: { replicas: 3 }, revision: '9f3c1ab', suspend: true },
    ],
    namespace: 'pay-dev',
    serviceAccount: 'deployer',
    conflicts: 'force',
    dependsOn: [{ name: 'redis' }, { name: 'db', namespace: 'data' }],
    timeout: '5m',
    deletion: { maxObjects: 0, maxPercent: 100, protect: ['StatefulSet.apps', 'ConfigMap'] },
    suspend: false,
  };

  assert.deepEqual(valueOf(decodeApplication(application(spec))).spec, spec);
});

test('the smallest Repository is decoded with every default filled in', () => {
  const spec: RepositorySpecInput = {
    url: 'https://git.example.com/shop.git',
    webhook: { secretRef: { name: 'hook' } },
  };

  assert.deepEqual(valueOf(decodeRepository(repository(spec))).spec, {
    url: 'https://git.example.com/shop.git',
    interval: '15s',
    webhook: { secretRef: { name: 'hook', key: 'token' } },
  });
});

test('pull requests are planned only where the spec says so, each minute where it says no more', () => {
  const url = 'https://github.com/acme/shop.git';
  const secretRef = { name: 'host' };

  assert.equal(valueOf(decodeRepository(repository({ url }))).spec.pullRequests, undefined);
  assert.deepEqual(valueOf(decodeRepository(repository({ url, pullRequests: { secretRef } }))).spec.pullRequests, {
    secretRef,
    interval: '1m',
  });
  for (const [wrong, field] of [
    [{}, 'spec.pullRequests.secretRef'],
    [{ secretRef, host: 'sourcehut' }, 'spec.pullRequests.host'],
    [{ secretRef, api: 'http://git.example.com/api' }, 'spec.pullRequests.api'],
    [{ secretRef, api: 'https://me@git.example.com/api' }, 'spec.pullRequests.api'],
    [{ secretRef, interval: '1ms' }, 'spec.pullRequests.interval'],
  ] as const) {
    assert.equal(errorOf(decodeRepository(repository({ url, pullRequests: wrong }))).field, field);
  }
});

test('a wrong spec is refused with the path of the field and what it must be', () => {
  const source = { repository: 'shop' };
  const cases: readonly (readonly [spec: unknown, field: string, complaint: RegExp])[] = [
    [undefined, 'spec.source', /must be set/],
    [{}, 'spec.source', /must be set/],
    [[], 'spec', /must be a mapping/],
    [{ source: 'shop' }, 'spec.source', /must be a mapping/],
    [{ source: { repository: 7 } }, 'spec.source.repository', /must be a text/],
    [{ source: { repository: '' } }, 'spec.source.repository', /must not be empty/],
    [{ source: { repository: 'Shop' } }, 'spec.source.repository', /DNS subdomain/],
    [{ source: { repository: 'shop', path: '/deploy' } }, 'spec.source.path', /remove the leading/],
    [{ source: { repository: 'shop', path: 'a/../../b' } }, 'spec.source.path', /remove "\.\."/],
    [{ source, sourcee: {} }, 'spec.sourcee', /is not a field/],
    [{ source, render: { helm: { chart: 'x' } } }, 'spec.render.helm.chart', /is not a field/],
    [{ source, render: { renderer: 'jsonnet' } }, 'spec.render.renderer', /one of plain, values, helm, kustomize/],
    [{ source, render: { kustomize: { patches: ['x'] } } }, 'spec.render.kustomize.patches[0]', /must be a mapping/],
    [{ source, render: { parameters: [{ name: 'x' }] } }, 'spec.render.parameters[0].value', /must be set/],
    [{ source, render: { substitute: { variables: { 'a-b': 'x' } } } }, 'spec.render.substitute.variables', /names/],
    [{ source, render: { substitute: { variables: { A: 1 } } } }, 'spec.render.substitute.variables', /texts/],
    [
      { source: { ...source, chart: { url: 'http://a.b/c', name: 'x' } } },
      'spec.source.chart.url',
      /https:\/\/ or oci/,
    ],
    [{ source: { ...source, chart: { url: 'oci://u:p@a.b', name: 'x' } } }, 'spec.source.chart.url', /credentials/],
    [{ source: { ...source, chart: { url: 'oci://a.b', name: '../x' } } }, 'spec.source.chart.name', /name of a chart/],
    [{ source, render: { values: [] } }, 'spec.render.values', /must be a mapping/],
    [{ source, render: { manifests: { include: 3 } } }, 'spec.render.manifests.include', /text or a list of texts/],
    [{ source, environments: [{ name: 'dev' }, { name: 'dev' }] }, 'spec.environments', /twice/],
    [{ source, environments: [{ name: 'dev' }, { name: 'a/b' }] }, 'spec.environments[1].name', /DNS label/],
    [{ source, environments: [{}] }, 'spec.environments[0].name', /must be set/],
    [{ source, environments: [null] }, 'spec.environments[0]', /must be a mapping/],
    [{ source, environments: [{ name: 'p', revision: '--upload-pack=x' }] }, 'spec.environments[0].revision', /branch/],
    [{ source, conflicts: 'yes' }, 'spec.conflicts', /one of report, force/],
    [{ source, deletion: { maxPercent: 101 } }, 'spec.deletion.maxPercent', /at most 100/],
    [{ source, deletion: { maxObjects: -1 } }, 'spec.deletion.maxObjects', /at least 0/],
    [{ source, deletion: { maxObjects: 1.5 } }, 'spec.deletion.maxObjects', /whole number/],
    [{ source, deletion: { protect: ['deployments'] } }, 'spec.deletion.protect[0]', /kind with its group/],
    [{ source, suspend: 'true' }, 'spec.suspend', /true or false/],
    [{ source, serviceAccount: '' }, 'spec.serviceAccount', /must not be empty/],
  ];

  for (const [spec, field, complaint] of cases) {
    const error = errorOf(decodeApplication(application(spec)));

    assert.equal(error.field, field);
    assert.match(error.message, complaint);
    assert.ok(error.message.startsWith(`Application/shop in team: ${field} `), error.message);
  }
});

test('a URL that is not https, ssh or loopback http, or that carries credentials, is refused', () => {
  const refused = [
    'http://git.example.com/x',
    'http://localhost.example.com/x',
    'http://127.0.0.1@example.com/x',
    'git://git.example.com/x',
    'file:///etc',
    '/srv/git/x',
    'ext::sh -c id',
    'fd::17',
    '-oProxyCommand=id',
    'ssh://-oProxyCommand=id/x',
    'https://user:pass@git.example.com/x',
    'https://token@git.example.com/x',
    'ssh://git:pass@git.example.com/x',
    'https://git.example.com/x y',
    'https://git.example.com/x\n',
    'HTTPS://git.example.com/x',
    'https://git.example.com\\@evil/x',
    'https:///x',
  ];
  const accepted = [
    'https://git.example.com/shop.git',
    'https://git.example.com:8443/team/shop',
    'ssh://git@git.example.com:2222/team/shop.git',
    'ssh://git.example.com/shop',
    'http://127.0.0.1:4000/shop.git',
    'http://localhost/shop.git',
    'http://[::1]:4000/shop.git',
  ];

  for (const url of refused) assert.equal(errorOf(decodeRepository(repository({ url }))).field, 'spec.url', url);
  for (const url of accepted) assert.equal(valueOf(decodeRepository(repository({ url }))).spec.url, url);
});

test('an error never repeats the value, which may be a secret', () => {
  const error = errorOf(decodeRepository(repository({ url: 'https://user:hunter2@git.example.com/x' })));

  assert.doesNotMatch(error.message, /hunter2/);
});

test('an interval that is no duration or out of bounds is refused', () => {
  const url = 'https://git.example.com/shop.git';

  for (const interval of ['', '0', '0s', '1d', '-5s', '1e9h', '9223372036854775808ns', '25h', '500ms', 15]) {
    assert.equal(errorOf(decodeRepository(repository({ url, interval }))).field, 'spec.interval', String(interval));
  }
  for (const interval of ['1s', '90s', '1h30m', '24h']) {
    assert.equal(valueOf(decodeRepository(repository({ url, interval }))).spec.interval, interval);
  }
});

test('another kind, another version or no metadata is refused', () => {
  assert.equal(errorOf(decodeApplication(repository({}))).field, 'kind');
  assert.equal(
    errorOf(decodeApplication({ apiVersion: 'argoproj.io/v1alpha1', kind: 'Application', metadata: { name: 'a' } }))
      .field,
    'apiVersion',
  );
  assert.equal(errorOf(decodeApplication({ kind: 'Application' })).field, 'metadata.name');
  assert.equal(errorOf(decodeApplication(null)).field, undefined);
});

test('a namespace that is missing reads as default', () => {
  const decoded = decodeApplication({
    apiVersion: 'plumb.dev/v1alpha1',
    kind: 'Application',
    metadata: { name: 'shop' },
    spec: { source: { repository: 'shop' } },
  });

  assert.equal(valueOf(decoded).metadata.namespace, 'default');
});

test('a status that cannot be read is left out, and the spec still counts', () => {
  const spec = { source: { repository: 'shop' } };
  const status = { state: 'Healthy', comparedAt: '2026-01-01T00:00:00Z', environments: [] };

  const good = valueOf(decodeApplication({ ...(application(spec) as object), status }));
  const bad = valueOf(decodeApplication({ ...(application(spec) as object), status: { state: 'Splendid' } }));

  assert.deepEqual(good.status, status);
  assert.equal(bad.status, undefined);
});

test('whatever is decoded, the answer is an application or SpecInvalid, never a throw', () => {
  const json = fc.jsonValue();
  const spec = fc.record(
    {
      source: fc.oneof(json, fc.record({ repository: json, path: json })),
      environments: json,
      deletion: json,
      render: json,
    },
    { requiredKeys: [] },
  );

  fc.assert(
    fc.property(fc.oneof(json, spec.map(application)), (object) => {
      const decoded = decodeApplication(object);

      assert.ok(decoded.ok || decoded.error.code === 'SpecInvalid');
    }),
  );
});
