import assert from 'node:assert/strict';
import { test } from 'node:test';
import { realClock } from '@plumb/test-support';
import { startCluster } from './cluster.ts';
import {
  apiServerArguments,
  controllerManagerArguments,
  etcdArguments,
  kubeconfigOf,
  type Layout,
} from './kubebuilder.ts';

const LAYOUT: Layout = {
  dataDir: '/data',
  apiPort: 6443,
  etcdPort: 2379,
  etcdPeerPort: 2380,
  controllers: true,
  auditLog: undefined,
};

test('etcd and the API server meet on a loopback port', () => {
  const etcd = etcdArguments(LAYOUT);
  const apiServer = apiServerArguments(LAYOUT);

  assert.ok(etcd.includes('--listen-client-urls=http://127.0.0.1:2379'));
  assert.ok(apiServer.includes('--etcd-servers=http://127.0.0.1:2379'));
  assert.ok(apiServer.includes('--bind-address=127.0.0.1'));
  assert.ok(apiServer.includes('--secure-port=6443'));
});

test('one key signs and checks the tokens of service accounts', () => {
  const apiServer = apiServerArguments(LAYOUT);
  const controllers = controllerManagerArguments(LAYOUT);

  assert.ok(apiServer.includes('--service-account-signing-key-file=/data/sa.key'));
  assert.ok(apiServer.includes('--service-account-key-file=/data/sa.key'));
  assert.ok(controllers.includes('--service-account-private-key-file=/data/sa.key'));
});

test('without controllers a Pod needs no service account', () => {
  const withControllers = apiServerArguments(LAYOUT);
  const without = apiServerArguments({ ...LAYOUT, controllers: false });

  assert.ok(!withControllers.some((argument) => argument.includes('ServiceAccount')));
  assert.ok(without.includes('--disable-admission-plugins=ServiceAccount'));
});

test('an audit log comes with its policy', () => {
  const apiServer = apiServerArguments({ ...LAYOUT, auditLog: '/logs/audit.log' });

  assert.ok(apiServer.includes('--audit-log-path=/logs/audit.log'));
  assert.ok(apiServer.includes('--audit-policy-file=/data/audit-policy.json'));
});

test('the kubeconfig trusts the certificate that the API server made', () => {
  const text = kubeconfigOf('https://127.0.0.1:6443', Buffer.from('PEM'), 'secret');

  const config: unknown = JSON.parse(text);

  assert.deepEqual(config, {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'controlplane',
    clusters: [
      { name: 'controlplane', cluster: { server: 'https://127.0.0.1:6443', 'certificate-authority-data': 'UEVN' } },
    ],
    contexts: [{ name: 'controlplane', context: { cluster: 'controlplane', user: 'admin' } }],
    users: [{ name: 'admin', user: { token: 'secret' } }],
  });
});

test('a folder without the binaries is refused by name', async () => {
  const environment = { KUBEBUILDER_ASSETS: '/nowhere' };

  const starting = startCluster({ signal: AbortSignal.timeout(60_000), clock: realClock, environment });

  await assert.rejects(starting, { code: 'PrerequisiteMissing', message: /\/nowhere, which holds no etcd/ });
});
