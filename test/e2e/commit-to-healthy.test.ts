import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isHealthy, startFixture } from './engine-fixture.ts';

const FILES = {
  'deploy/values.yaml':
    'name: shop\nreplicas: 2\nimage: {repository: registry.example.com/shop, tag: 1.4.2}\nenv: {LOG_LEVEL: info}\n',
  'deploy/deployment.yaml': `apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Values.name }}
spec:
  replicas: {{ .Values.replicas }}
  selector:
    matchLabels: {app: {{ .Values.name }}}
  template:
    metadata:
      labels: {app: {{ .Values.name }}}
    spec:
      containers:
      - name: app
        image: "{{ .Values.image.repository }}:{{ .Values.image.tag }}"
        env:
        {{- range $name, $value := .Values.env }}
        - {name: {{ $name }}, value: {{ $value | quote }}}
        {{- end }}
`,
  'deploy/service.yaml': `apiVersion: v1
kind: Service
metadata:
  name: {{ .Values.name }}
spec:
  selector: {app: {{ .Values.name }}}
  ports: [{port: 80, targetPort: 8080}]
`,
};

test('a commit becomes a healthy application, and the next commit changes it', async () => {
  await using plumb = await startFixture({ prefix: 'commit' });
  await plumb.git.create('shop');
  const first = await plumb.git.commit('shop', FILES, { message: 'Add the shop' });
  await plumb.application('shop');

  const healthy = await plumb.until('shop', isHealthy);
  const deployment = await plumb.get('apps/v1', 'deployments', 'shop');

  assert.equal(healthy.status.revision, first);
  assert.equal(healthy.status.release, 'r1');
  assert.equal(deployment?.spec.replicas, 2);
  assert.equal(deployment?.status.availableReplicas, 2);

  const second = await plumb.git.commit(
    'shop',
    { 'deploy/values.yaml': FILES['deploy/values.yaml'].replace('info', 'debug') },
    { message: 'Say more' },
  );
  await plumb.until('shop', (application) => isHealthy(application) && application.status.revision === second);
  const changed = await plumb.get('apps/v1', 'deployments', 'shop');

  assert.deepEqual(changed?.spec.template.spec.containers[0].env, [{ name: 'LOG_LEVEL', value: 'debug' }]);
});
