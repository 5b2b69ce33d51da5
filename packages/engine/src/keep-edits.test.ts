import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { decodeApplication, type Application } from '@plumb/api';
import { objectKey, type Json } from '@plumb/core';
import { createRenderer } from '@plumb/render';
import { ManualClock, memoryTree } from '@plumb/test-support';
import { keepEdits, type KeepEditsRequest, type LiveField } from './keep-edits.ts';
import { targetsOf, type TargetSpec } from './targets.ts';

const { signal } = new AbortController();
const renderer = createRenderer({ clock: new ManualClock() });
after(() => renderer[Symbol.asyncDispose]());

const targets: KeepEditsRequest['renderer'] = {
  externalsOf: async () => undefined,
  secretsOf: async () => [],
  render: async (spec, { tree, committedMs }) =>
    renderer.render({ ...spec.render, tree, path: spec.path, nowMs: committedMs, signal }),
};

function application(name: string, spec: object): readonly TargetSpec[] {
  const decoded = decodeApplication({
    apiVersion: 'plumb.dev/v1alpha1',
    kind: 'Application',
    metadata: { name, namespace: 'default' },
    spec: { source: { repository: 'shop', path: 'deploy' }, ...spec },
  });
  if (!decoded.ok) throw decoded.error;
  return targetsOf(decoded.value satisfies Application);
}

interface KeepCase {
  readonly files: Readonly<Record<string, string>>;
  /** Default: one application without environments, in the folder `deploy`. */
  readonly specs?: readonly TargetSpec[];
  /** Default: the Deployment `shop`. */
  readonly kind?: string;
  readonly name?: string;
  readonly namespace?: string;
  readonly fields: Readonly<Record<string, Json | undefined>>;
  readonly also?: boolean;
  readonly file?: string;
}

/** The lines that an edit takes away and brings, by file; else the error. */
async function keep(one: KeepCase): Promise<readonly string[]> {
  const { files, specs = application('shop', {}), kind = 'Deployment', name = 'shop', namespace = 'default' } = one;
  const [spec = assert.fail('no target'), ...others] = specs;
  const group = kind === 'Deployment' ? 'apps' : '';
  const result = await keepEdits({
    spec,
    others,
    tree: memoryTree(files),
    committedMs: 0,
    renderer: targets,
    key: objectKey({ group, kind, namespace, name }),
    fields: Object.entries(one.fields).map(([path, live]): LiveField => ({ path, live })),
    allowsOthers: one.also ?? false,
    file: one.file,
    signal,
  });
  if (!result.ok) return result.error.flatMap(({ code, message, fix }) => [`${code}: ${message}`, fix]);
  return [...result.value.files].flatMap(([file, text]) => changedLines(file, files[file] ?? '', text));
}

function changedLines(file: string, before: string, after: string): readonly string[] {
  const [old, now] = [before.split('\n'), after.split('\n')];
  const [gone, came] = [old.filter((line) => !now.includes(line)), now.filter((line) => !old.includes(line))];
  return [file, ...gone.map((line) => `-${line}`), ...came.map((line) => `+${line}`)];
}

const CONTAINERS = `    spec:
      containers:
        - name: app
          image: shop/api:1.2
          env:
            - name: LEVEL
              value: info
          resources: { limits: { memory: 256Mi } }
`;
const HEAD = 'apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: shop\n';
const DEPLOYMENT = `${HEAD}spec:\n  replicas: 3 # enough\n  template:\n${CONTAINERS}`;
const SERVICE = 'apiVersion: v1\nkind: Service\nmetadata: {name: shop}\nspec: {ports: [{port: 3}]}\n';

const image = 'spec.template.spec.containers[name="app"].image';
const level = 'spec.template.spec.containers[name="app"].env[name="LEVEL"].value';
const memory = 'spec.template.spec.containers[name="app"].resources.limits.memory';

test('a plain manifest: the line of the field, in the document of the object', async () => {
  const files = { 'deploy/all.yaml': `${SERVICE}---\n${DEPLOYMENT}` };

  assert.deepEqual(await keep({ files, fields: { 'spec.replicas': 5 } }), [
    'deploy/all.yaml',
    '-  replicas: 3 # enough',
    '+  replicas: 5 # enough',
  ]);
  assert.deepEqual(await keep({ files, fields: { [image]: 'shop/api:1.3', [memory]: '512Mi' } }), [
    'deploy/all.yaml',
    '-          image: shop/api:1.2',
    '-          resources: { limits: { memory: 256Mi } }',
    '+          image: shop/api:1.3',
    '+          resources: { limits: { memory: 512Mi } }',
  ]);
  assert.deepEqual(await keep({ files, fields: { 'spec.replicas': undefined, 'metadata.labels.a': 'b' } }), [
    'deploy/all.yaml',
    '-  replicas: 3 # enough',
    '+  labels:',
    '+    a: b',
  ]);
});

test('JSON stays JSON, and in a list of objects the item is found', async () => {
  const map = '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"x": "1"}}';
  const list = `apiVersion: v1\nkind: List\nitems:\n- ${map}\n- ${map.replace('"a"', '"b"')}\n`;
  const kustomization = 'resources: [list.yaml]\n';
  const changed = map.replace('"1"', '"012"');
  const fields = { 'data.x': '012' };

  const inJson = await keep({ files: { 'deploy/all.json': `${map}\n` }, kind: 'ConfigMap', name: 'a', fields });
  const inList = await keep({
    files: { 'deploy/kustomization.yaml': kustomization, 'deploy/list.yaml': list },
    kind: 'ConfigMap',
    name: 'b',
    fields,
  });

  assert.deepEqual(inJson, ['deploy/all.json', `-${map}`, `+${changed}`]);
  assert.deepEqual(inList, [
    'deploy/list.yaml',
    `-- ${map.replace('"a"', '"b"')}`,
    `+- ${changed.replace('"a"', '"b"')}`,
  ]);
});

const TEMPLATES = {
  'deploy/deployment.yaml': `${HEAD}spec:\n  replicas: {{ .Values.replicas }}\n  template:\n    spec:
      containers:
        - name: app
          image: {{ .Values.image.repository }}:{{ .Values.image.tag }}
          env:
            - name: LEVEL
              value: {{ .Values.level | upper }}
`,
  'deploy/service.yaml':
    'apiVersion: v1\nkind: Service\nmetadata: {name: shop}\nspec: {ports: [{port: {{ .Values.port }} }]}\n',
};

test('manifests with values: the line of the values file that wins, and never the template', async () => {
  const files = {
    ...TEMPLATES,
    'deploy/values.yaml': 'replicas: 1\nport: 3\nlevel: info\nimage: {repository: shop/api, tag: "1.2"}\n',
    'deploy/values-prod.yaml': '# ours\nreplicas: 3 # enough\n',
  };
  const specs = application('shop', { environments: [{ name: 'prod' }] });

  assert.deepEqual(await keep({ files, specs, fields: { 'spec.replicas': 5 } }), [
    'deploy/values-prod.yaml',
    '-replicas: 3 # enough',
    '+replicas: 5 # enough',
  ]);
  assert.deepEqual(await keep({ files, specs, fields: { [image]: 'shop/api:1.30' } }), [
    'deploy/values.yaml',
    '-image: {repository: shop/api, tag: "1.2"}',
    '+image: {repository: shop/api, tag: "1.30"}',
  ]);
  assert.deepEqual(await keep({ files, specs, fields: { [image]: 'mirror/api:1.3' } }), [
    'deploy/values.yaml',
    '-image: {repository: shop/api, tag: "1.2"}',
    '+image: {repository: mirror/api, tag: "1.3"}',
  ]);
  const [refused = ''] = await keep({ files, specs, fields: { [level]: 'debug' } });
  assert.match(refused, /^KeepImpossible: .*env\[name="LEVEL"\]\.value of Deployment\/shop is not kept: no line/);
});

test('a value that gives other fields too is refused, and another place is taken where one has the effect alone', async () => {
  const one = (values: string) => ({
    files: {
      'deploy/deployment.yaml': `${HEAD}spec: {replicas: {{ .Values.count }} }\n`,
      'deploy/service.yaml': TEMPLATES['deploy/service.yaml'].replace('.Values.port', '.Values.count'),
      'deploy/values.yaml': values,
    },
    fields: { 'spec.replicas': 5 },
  });

  const refused = await keep(one('count: 3\nreplicas: 3\n'));

  assert.equal(
    refused[0],
    'KeepImpossible: spec.replicas of Deployment/shop is not kept: no line of the repository is found that gives it the live value and changes nothing else (deploy/values.yaml:2 does not give it the live value; deploy/values.yaml:1 changes Service/shop too)',
  );
});

test('what else changes in the object itself is noticed, be it something empty', async () => {
  const files = {
    'deploy/deployment.yaml': `${HEAD}spec:\n  replicas: {{ .Values.count }}\n{{- if lt (int .Values.count) 4 }}\n  strategy: {}\n{{- end }}\n`,
    'deploy/values.yaml': 'count: 3\n',
  };

  const small = await keep({ files, fields: { 'spec.replicas': 2 } });
  const [large = ''] = await keep({ files, fields: { 'spec.replicas': 5 } });

  assert.deepEqual(small, ['deploy/values.yaml', '-count: 3', '+count: 2']);
  assert.match(large, /^KeepImpossible: .*\(deploy\/values\.yaml:1 changes spec\.strategy too\)$/);
});

test('what environments share is refused with their names, and what would do for one alone is proposed', async () => {
  const files = {
    ...TEMPLATES,
    'deploy/values.yaml': 'replicas: 3\nport: 3\nlevel: info\nimage: {repository: shop/api, tag: "1.2"}\n',
    'deploy/values-prod.yaml': 'port: 4\n',
  };
  const [dev, prod] = application('shop', { environments: [{ name: 'dev' }, { name: 'prod' }] });
  assert.ok(dev !== undefined && prod !== undefined);
  const fields = { 'spec.replicas': 5 };

  assert.deepEqual(await keep({ files, specs: [prod, dev], fields }), [
    'KeepShared: spec.replicas of Deployment/shop is not kept: deploy/values.yaml:1 is read by shop → dev too',
    'Let the others change as well with --also, or keep it for this one alone with --file deploy/values-prod.yaml.',
  ]);
  assert.deepEqual(await keep({ files, specs: [prod, dev], fields, file: 'deploy/values-prod.yaml' }), [
    'deploy/values-prod.yaml',
    '+replicas: 5',
  ]);
  assert.deepEqual(await keep({ files, specs: [dev, prod], fields, file: 'deploy/values-dev.yaml' }), [
    'deploy/values-dev.yaml',
    '+replicas: 5',
  ]);
  assert.deepEqual(await keep({ files, specs: [prod, dev], fields, also: true }), [
    'deploy/values.yaml',
    '-replicas: 3',
    '+replicas: 5',
  ]);
});

test('a chart: the values file that is named, of numbers that are texts and of maps too', async () => {
  const files = {
    'deploy/Chart.yaml': 'apiVersion: v2\nname: shop\nversion: 1.0.0\n',
    'deploy/templates/deployment.yaml': `${HEAD}  annotations: {{ .Values.annotations | toJson }}\nspec:\n  replicas: {{ .Values.replicaCount }}\n  template:\n    spec:
      containers:
        - name: app
          image: "{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}"
          env:
            - name: LEVEL
              value: {{ .Values.port | quote }}
          resources: {{ toYaml .Values.resources | nindent 12 }}
`,
    'deploy/values.yaml':
      'replicaCount: 1\nport: 80\nannotations: {}\nimage:\n  repository: shop/api\n  tag: "1.2"\nresources:\n  limits:\n    memory: 256Mi\n',
    'deploy/prod.yaml': 'replicaCount: 3\n',
  };
  const specs = application('shop', { render: { valuesFiles: ['prod.yaml'] } });
  const cases: readonly (readonly [Readonly<Record<string, Json | undefined>>, readonly string[]])[] = [
    [{ 'spec.replicas': 4 }, ['deploy/prod.yaml', '-replicaCount: 3', '+replicaCount: 4']],
    [{ [level]: '81' }, ['deploy/values.yaml', '-port: 80', '+port: 81']],
    [{ [memory]: '1Gi' }, ['deploy/values.yaml', '-    memory: 256Mi', '+    memory: 1Gi']],
    [{ [image]: 'shop/api:1.10' }, ['deploy/values.yaml', '-  tag: "1.2"', '+  tag: "1.10"']],
    [{ [memory.replace('memory', 'cpu')]: '500m' }, ['deploy/values.yaml', '+    cpu: 500m']],
    [{ 'metadata.annotations["x/y"]': 'z' }, ['deploy/values.yaml', '-annotations: {}', '+annotations: {x/y: z}']],
    [{ [memory]: undefined }, ['deploy/values.yaml', '-  limits:', '-    memory: 256Mi', '+  limits: {}']],
  ];

  for (const [fields, lines] of cases) assert.deepEqual(await keep({ files, specs, fields }), lines);
});

const KUSTOMIZE = {
  'base/deployment.yaml': DEPLOYMENT,
  'base/kustomization.yaml': 'resources: [deployment.yaml]\n',
};
const overlay = application('shop', { source: { repository: 'shop', path: 'overlay' } });

test('a kustomization: the resource, where nothing lies over it', async () => {
  const files = { ...KUSTOMIZE, 'overlay/kustomization.yaml': 'namePrefix: my-\nresources: [../base]\n' };

  assert.deepEqual(await keep({ files, specs: overlay, name: 'my-shop', fields: { 'spec.replicas': 5 } }), [
    'base/deployment.yaml',
    '-  replicas: 3 # enough',
    '+  replicas: 5 # enough',
  ]);
});

test('a kustomization: the patch that has the last word, in a file or inline, merged or by operations', async () => {
  const patch = `${HEAD}spec: {replicas: 4}\n`;
  const inline =
    '  - target: {kind: Deployment}\n    patch: |- # ours\n      - op: replace\n        path: /spec/replicas\n        value: 4\n';
  const cases: readonly (readonly [Readonly<Record<string, string>>, readonly string[]])[] = [
    [
      { 'overlay/kustomization.yaml': 'resources: [../base]\npatches: [{path: p.yaml}]\n', 'overlay/p.yaml': patch },
      ['overlay/p.yaml', '-spec: {replicas: 4}', '+spec: {replicas: 5}'],
    ],
    [
      { 'overlay/kustomization.yaml': `resources: [../base]\npatches:\n${inline}` },
      ['overlay/kustomization.yaml', '-        value: 4', '+        value: 5'],
    ],
    [
      {
        'overlay/kustomization.yaml': `resources: [../base]\npatches:\n  - path: p.yaml\n  - patch: |\n      ${patch.replaceAll('\n', '\n      ').replace('4', '6').trimEnd()}\n`,
        'overlay/p.yaml': patch,
      },
      ['overlay/kustomization.yaml', '-      spec: {replicas: 6}', '+      spec: {replicas: 5}'],
    ],
    [
      { 'overlay/kustomization.yaml': 'resources: [../base]\nreplicas:\n  - name: shop\n    count: 7\n' },
      ['overlay/kustomization.yaml', '-    count: 7', '+    count: 5'],
    ],
  ];

  for (const [extra, lines] of cases) {
    const files = { ...KUSTOMIZE, ...extra };
    assert.deepEqual(await keep({ files, specs: overlay, fields: { 'spec.replicas': 5 } }), lines);
  }
});

test('a kustomization: images, literals of generators, variables in a file, and labels', async () => {
  const files = {
    ...KUSTOMIZE,
    'overlay/kustomization.yaml': `resources: [../base]
images:
  - name: shop/api
    newTag: "1.2" # by ci
configMapGenerator:
  - name: settings
    literals:
      - LEVEL=info
    envs: [more.env]
generatorOptions: {disableNameSuffixHash: true}
commonAnnotations: {team: a}
`,
    'overlay/more.env': 'MODE=x\nOTHER=y\n',
  };
  const settings = { kind: 'ConfigMap', name: 'settings' };
  const inOverlay = (before: string, now: string) => ['overlay/kustomization.yaml', `-${before}`, `+${now}`];

  assert.deepEqual(
    await keep({ files, specs: overlay, fields: { [image]: 'shop/api:1.3' } }),
    inOverlay('    newTag: "1.2" # by ci', '    newTag: "1.3" # by ci'),
  );
  assert.deepEqual(await keep({ files, specs: overlay, fields: { [image]: 'other/api:1.3' } }), [
    'overlay/kustomization.yaml',
    '-    newTag: "1.2" # by ci',
    '+    newTag: "1.3" # by ci',
    '+    newName: other/api',
  ]);
  assert.deepEqual(
    await keep({ files, specs: overlay, ...settings, fields: { 'data.LEVEL': 'debug' } }),
    inOverlay('      - LEVEL=info', '      - LEVEL=debug'),
  );
  assert.deepEqual(await keep({ files, specs: overlay, ...settings, fields: { 'data.MODE': 'z' } }), [
    'overlay/more.env',
    '-MODE=x',
    '+MODE=z',
  ]);
  const [shared = ''] = await keep({
    files,
    specs: overlay,
    ...settings,
    fields: { 'metadata.annotations.team': 'b' },
  });
  assert.match(shared, /^KeepImpossible: .*overlay\/kustomization.yaml:11 changes Deployment\/shop too/);
});

test('a kustomization: what operations add, older forms of patches, components, and what is taken out', async () => {
  const add = '- op: add\n  path: /spec/template/spec/containers/0/env/-\n  value: {name: MORE, value: "1"}\n';
  const more = 'spec.template.spec.containers[name="app"].env[name="MORE"].value';
  const kustomization = (text: string) => ({ 'overlay/kustomization.yaml': `resources: [../base]\n${text}` });
  const patch = `${HEAD}spec: {replicas: 4}\n`;
  const cases: readonly (readonly [
    Readonly<Record<string, string>>,
    Readonly<Record<string, Json | undefined>>,
    readonly string[],
  ])[] = [
    [
      { ...kustomization('patches: [{path: add.yaml, target: {kind: Deployment}}]\n'), 'overlay/add.yaml': add },
      { [more]: '2' },
      ['overlay/add.yaml', '-  value: {name: MORE, value: "1"}', '+  value: {name: MORE, value: "2"}'],
    ],
    [
      { ...kustomization('patchesStrategicMerge: [p.yaml]\n'), 'overlay/p.yaml': patch },
      { 'spec.replicas': 5 },
      ['overlay/p.yaml', '-spec: {replicas: 4}', '+spec: {replicas: 5}'],
    ],
    [
      {
        ...kustomization('components: [../component]\n'),
        'component/kustomization.yaml':
          'apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\npatches:\n  - patch: |-\n      {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "shop"}, "spec": {"replicas": 4}}\n',
      },
      { 'spec.replicas': 5 },
      [
        'component/kustomization.yaml',
        '-      {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "shop"}, "spec": {"replicas": 4}}',
        '+      {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "shop"}, "spec": {"replicas": 5}}',
      ],
    ],
    [
      { ...kustomization('patches: [{path: p.yaml}]\n'), 'overlay/p.yaml': patch },
      { 'spec.replicas': undefined },
      ['overlay/p.yaml', '-spec: {replicas: 4}', '+spec: {replicas: null}'],
    ],
    [
      kustomization(''),
      { [level.replace('.value', '')]: undefined },
      [
        'base/deployment.yaml',
        '-          env:',
        '-            - name: LEVEL',
        '-              value: info',
        '+          env: []',
      ],
    ],
  ];

  for (const [extra, fields, lines] of cases) {
    assert.deepEqual(await keep({ files: { ...KUSTOMIZE, ...extra }, specs: overlay, fields }), lines);
  }
});

test('line ends of Windows and a byte order mark stay', async () => {
  const windows = { 'deploy/a.yaml': `\uFEFF${DEPLOYMENT.replaceAll('\n', '\r\n')}` };
  const edited = await keep({ files: windows, fields: { 'spec.replicas': 5, 'metadata.labels.a': 'b' } });

  assert.deepEqual(edited, [
    'deploy/a.yaml',
    '-  replicas: 3 # enough\r',
    '+  labels:\r',
    '+    a: b\r',
    '+  replicas: 5 # enough\r',
  ]);
});

test('a variable of a map that becomes a list item is taken out of the map', async () => {
  const files = {
    'deploy/deployment.yaml': `${HEAD}spec:\n  template:\n    spec:\n      containers:\n        - name: app\n          env:\n            {{- range $name, $value := .Values.env }}\n            - name: {{ $name }}\n              value: {{ $value | quote }}\n            {{- end }}\n`,
    'deploy/values.yaml': 'env:\n  LEVEL: info\n  MODE: a\n',
  };
  const item = level.replace('.value', '');

  assert.deepEqual(await keep({ files, fields: { [item]: undefined } }), ['deploy/values.yaml', '-  LEVEL: info']);
  assert.deepEqual(await keep({ files, fields: { [item.replace('LEVEL', 'NEW')]: { name: 'NEW', value: 'x' } } }), [
    'deploy/values.yaml',
    '+  NEW: x',
  ]);
});

test('a chart in a chart, and a values file elsewhere in the repository', async () => {
  const template = (value: string) =>
    `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Chart.Name }}}\ndata: {size: {{ ${value} | quote }}}\n`;
  const files = {
    'deploy/Chart.yaml': 'apiVersion: v2\nname: outer\nversion: 1.0.0\n',
    'deploy/values.yaml': 'inner:\n  size: 3 # of ours\n',
    'deploy/charts/inner/Chart.yaml': 'apiVersion: v2\nname: inner\nversion: 1.0.0\n',
    'deploy/charts/inner/values.yaml': 'size: 1\ncolor: red\n',
    'deploy/charts/inner/templates/a.yaml': template('.Values.size'),
    'deploy/templates/a.yaml': template('.Values.color | default "none"'),
    'shared/eu.yaml': 'color: blue\n',
  };
  const specs = application('shop', { render: { valuesFiles: ['../shared/eu.yaml'] } });
  const of = { files, specs, kind: 'ConfigMap' };

  assert.deepEqual(await keep({ ...of, name: 'inner', fields: { 'data.size': '5' } }), [
    'deploy/values.yaml',
    '-  size: 3 # of ours',
    '+  size: 5 # of ours',
  ]);
  assert.deepEqual(await keep({ ...of, name: 'outer', fields: { 'data.size': 'green' } }), [
    'shared/eu.yaml',
    '-color: blue',
    '+color: green',
  ]);
});

test('a base that others build on is refused, and a patch of this one alone is proposed and made', async () => {
  const files = {
    ...KUSTOMIZE,
    'overlay/kustomization.yaml': '# prod\nresources: [../base]\n',
    'dev/kustomization.yaml': 'resources: [../base]\n',
  };
  const dev = application('shop-dev', { source: { repository: 'shop', path: 'dev' } });
  const one: KeepCase = { files, specs: [...overlay, ...dev], fields: { [memory]: '512Mi' } };

  assert.deepEqual(await keep(one), [
    `KeepShared: ${memory} of Deployment/shop is not kept: base/deployment.yaml:15 is read by shop-dev too`,
    'Let the others change as well with --also, or keep it for this one alone with --file overlay/kustomization.yaml.',
  ]);
  assert.deepEqual(await keep({ ...one, file: 'overlay/kustomization.yaml' }), [
    'overlay/kustomization.yaml',
    '+patches:',
    '+  - patch: |',
    '+      apiVersion: apps/v1',
    '+      kind: Deployment',
    '+      metadata:',
    '+        name: shop',
    '+      spec:',
    '+        template:',
    '+          spec:',
    '+            containers:',
    '+              - name: app',
    '+                resources:',
    '+                  limits:',
    '+                    memory: 512Mi',
  ]);
});

test('a generator whose name tells its content is refused: the object would be another one', async () => {
  const files = {
    'overlay/kustomization.yaml': 'configMapGenerator:\n  - name: settings\n    literals: [LEVEL=info]\n',
  };
  const [spec = assert.fail('no target')] = overlay;
  const tree = memoryTree(files);
  const rendered = await targets.render(spec, { tree, externals: undefined, committedMs: 0 }, { signal });
  const name = rendered.ok ? rendered.value.objects[0]?.object.metadata.name : undefined;
  assert.match(name ?? '', /^settings-./);

  const [refused = ''] = await keep({
    ...{ files, specs: overlay, kind: 'ConfigMap' },
    name: name ?? '',
    fields: { 'data.LEVEL': 'debug' },
  });

  assert.match(refused, /^KeepImpossible: .*overlay\/kustomization.yaml:3 gives it another name\)$/);
});

test('what is in a Secret is never written to Git, and what the Application sets is told', async () => {
  const secret = { 'deploy/a.yaml': 'apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData: {x: old}\n' };
  const inline = application('shop', { render: { values: { replicas: 3 } } });
  const files = { 'deploy/values.yaml': '{}\n', 'deploy/a.yaml': `${HEAD}spec: {replicas: {{ .Values.replicas }} }\n` };

  const [refused = ''] = await keep({
    files: secret,
    kind: 'Secret',
    name: 'a',
    fields: { 'stringData.x': 'new-one' },
  });
  const [, fix] = await keep({ files, specs: inline, fields: { 'spec.replicas': 5 } });

  assert.equal(refused, 'KeepImpossible: Secret/a is a Secret, and what is in one is not written to Git');
  assert.match(fix ?? '', /What the Application itself sets \(spec\.render, environments\) is changed there\.$/);
});
