import assert from 'node:assert/strict';
import { test } from 'node:test';
import { folderWith } from '../test/folder-with.ts';
import { runCaptured } from '../test/run-captured.ts';

const GIT = { 'repo/.git/HEAD': 'ref: refs/heads/main\n' };

const GOOD = `apiVersion: v1
kind: Service
metadata: {name: api}
spec:
  selector: {app: api}
  ports: [{port: 80}]
`;

const BAD = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: api
spec:
  replica: 3
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec:
      containers:
        - name: app
          image: api
          env:
            - name: PORT
              value: 8080
          resources:
            limits: {memory: 512Mi}
`;

interface Answer {
  readonly objects: number;
  readonly policies: unknown;
  readonly unknownKinds: unknown;
  readonly findings: readonly {
    readonly rule: string;
    readonly severity: string;
    readonly file?: string;
    readonly line?: number;
    readonly object?: { readonly kind: string; readonly name: string };
    readonly field?: string;
    readonly message: string;
    readonly fix: string;
  }[];
}

interface Outcome extends Answer {
  readonly code: number;
  readonly stderr: string;
  /** `error schema/unknown-field repo/app/a.yaml:6`. */
  readonly told: readonly string[];
}

/** The answer in JSON, of a run in the folder. */
async function validate(files: Readonly<Record<string, string>>, ...flags: readonly string[]): Promise<Outcome> {
  await using folder = await folderWith({ ...GIT, ...files });
  const run = await runCaptured(['validate', 'repo/app', '-o', 'json', ...flags], { cwd: folder.path });
  const answer = JSON.parse(run.stdout) as Answer;
  const told = answer.findings.map(
    ({ severity, rule, file, line }) => `${severity} ${rule} ${file ?? ''}:${line ?? ''}`,
  );
  return { ...answer, code: run.code, stderr: run.stderr, told };
}

test('validate says yes of a folder that is fine', async () => {
  const { code, stderr, told, objects } = await validate({ 'repo/app/a.yaml': GOOD });

  assert.deepEqual([code, stderr, told, objects], [0, '', [], 1]);
});

test('validate names the line of each field that the API server or a policy would refuse', async () => {
  const { code, told, findings } = await validate({ 'repo/app/a.yaml': BAD });

  assert.equal(code, 1);
  assert.deepEqual(told, [
    'error schema/unknown-field app/a.yaml:6',
    'warning policy/no-latest-tag app/a.yaml:13',
    'error schema/wrong-type app/a.yaml:16',
  ]);
  assert.deepEqual(findings[0], {
    rule: 'schema/unknown-field',
    severity: 'error',
    file: 'app/a.yaml',
    line: 6,
    object: { group: 'apps', kind: 'Deployment', namespace: 'default', name: 'api' },
    field: 'spec.replica',
    message: 'spec.replica is not a field of DeploymentSpec',
    fix: 'Did you mean replicas?',
  });
});

test('validate is a table for people, and counts', async () => {
  await using folder = await folderWith({ ...GIT, 'repo/app/a.yaml': BAD });

  const { code, stdout } = await runCaptured(['validate', 'repo/app'], { cwd: folder.path });

  assert.equal(code, 1);
  assert.equal(
    stdout,
    `LEVEL     PLACE           OBJECT           RULE                   MESSAGE
error     app/a.yaml:6    Deployment/api   schema/unknown-field   spec.replica is not a field of DeploymentSpec. Did you mean replicas?
warning   app/a.yaml:13   Deployment/api   policy/no-latest-tag   the image api names no version. Write a tag other than latest, or a digest.
error     app/a.yaml:16   Deployment/api   schema/wrong-type      spec.template.spec.containers[name="app"].env[name="PORT"].value is a number, not a text. Put it in quotes.
1 object: 2 errors, 1 warning; policies 6 ok, 1 warning.
`,
  );
});

test('validate looks at the current folder where none is named', async () => {
  await using folder = await folderWith({ ...GIT, 'repo/app/a.yaml': GOOD });

  const { code, stdout } = await runCaptured(['validate'], { cwd: `${folder.path}/repo/app` });

  assert.deepEqual([code, stdout], [0, '1 object: nothing found; policies 7 ok.\n']);
});

test('warnings alone are a yes', async () => {
  const pod = 'apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n  - {name: a, image: a:latest}\n';

  const { code, told } = await validate({ 'repo/app/a.yaml': pod });

  assert.equal(code, 0);
  assert.deepEqual(told, ['warning policy/memory-limit app/a.yaml:6', 'warning policy/no-latest-tag app/a.yaml:6']);
});

const POD = 'apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n  - {name: a, image: a:latest}\n';
const POLICIES = `policies:
  - name: no-latest-tag
    action: {prod: deny, '*': warn}
  - name: memory-limit
    action: off
  - name: team
    action: deny
    match: {environments: ['prod*']}
    expression: has(object.metadata.labels) && has(object.metadata.labels.team)
    message: nobody is to be asked
    fix: Add the label team.
`;

test('files of policies change the starter set by name and add to it, by environment', async () => {
  const files = { 'repo/app/a.yaml': POD, 'rules.yaml': POLICIES };

  const prod = await validate(files, '--policy', 'rules.yaml', '-e', 'prod');
  const dev = await validate(files, '--policy', 'rules.yaml', '-e', 'dev');

  assert.deepEqual(
    [prod.code, ...prod.told],
    [1, 'deny policy/team app/a.yaml:1', 'deny policy/no-latest-tag app/a.yaml:6'],
  );
  assert.deepEqual([dev.code, ...dev.told], [0, 'warning policy/no-latest-tag app/a.yaml:6']);
  assert.equal(dev.stderr, '');
});

test('a folder of policies is read file by file, and a later flag wins', async () => {
  const last = 'policies: [{name: no-latest-tag, action: off}]\n';
  const files = {
    'repo/app/a.yaml': POD,
    'rules/b.yaml': POLICIES,
    'rules/a.yml': 'policies: []\n',
    'last.yaml': last,
  };

  const { told } = await validate(files, '--policy', 'rules', '--policy', 'last.yaml', '-e', 'prod');

  assert.deepEqual(told, ['deny policy/team app/a.yaml:1']);
});

const refused: readonly (readonly [string, readonly string[], RegExp])[] = [
  ['a folder that is not there', ['validate', 'nowhere'], /there is no folder nowhere/],
  [
    'a file of policies that is not there',
    ['validate', 'repo/app', '--policy', 'none.yaml'],
    /none\.yaml cannot be read/,
  ],
  ['a folder without policies', ['validate', 'repo/app', '--policy', 'repo/.git'], /holds no file of policies/],
  [
    'a policy that is none',
    ['validate', 'repo/app', '--policy', 'bad.yaml'],
    /error: the action is none of .*\nat: bad\.yaml:3\n/,
  ],
  [
    'an expression that is none',
    ['validate', 'repo/app', '--policy', 'bad.yaml'],
    /error: the expression cannot be right: .*objekt.*\nat: bad\.yaml:4\n/,
  ],
  ['a file of something else', ['validate', 'repo/app', '--policy', 'repo/app/a.yaml'], /no list policies/],
];

for (const [what, inputs, expected] of refused) {
  test(`validate with ${what} ends with 2`, async () => {
    const bad = 'policies:\n  - name: a\n    action: block\n    expression: objekt.kind == ""\n';
    await using folder = await folderWith({ ...GIT, 'repo/app/a.yaml': GOOD, 'bad.yaml': bad });

    const { code, stdout, stderr } = await runCaptured(inputs, { cwd: folder.path });

    assert.deepEqual([code, stdout], [2, '']);
    assert.match(stderr, expected);
  });
}

test('a file that cannot be read is a finding, and what else is there is checked as well', async () => {
  const { code, told } = await validate({ 'repo/app/a.yaml': BAD, 'repo/app/b.yaml': 'a: [\n' });

  assert.equal(code, 1);
  assert.match(told.at(-1) ?? '', /^error render\/YamlSyntax app\/b\.yaml:\d$/);
});

test('what an API server would misunderstand is an error with its object', async () => {
  const twice = `${GOOD}---\n${GOOD}`;

  const { told, findings } = await validate({ 'repo/app/a.yaml': twice });

  assert.deepEqual(told, ['error render/DuplicateObject app/a.yaml:8']);
  assert.equal(findings[0]?.object?.name, 'api');
});

const CHART = {
  'repo/app/Chart.yaml': 'apiVersion: v2\nname: shop\nversion: 1.0.0\n',
  'repo/app/values.yaml': 'replicas: two\nimage: api:latest\n',
  'repo/app/templates/api.yaml': `apiVersion: apps/v1
kind: Deployment
metadata: {name: api}
spec:
  replicas: {{ .Values.replicas }}
  paused_: true
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec:
      containers:
        - name: app
          image: {{ .Values.image }}
          resources: {limits: {memory: 1Gi}}
`,
};

test('of a chart, values are found in the values file and names at the object in the template', async () => {
  const { told, stderr } = await validate(CHART, '-e', 'prod');

  assert.deepEqual(told, [
    'error schema/unknown-field app/templates/api.yaml:1',
    'error schema/wrong-type app/values.yaml:1',
    'warning policy/no-latest-tag app/values.yaml:2',
  ]);
  assert.equal(stderr, '');
});

test('a value of a file of --values is found there', async () => {
  const files = { ...CHART, 'repo/app/values.yaml': 'replicas: 1\nimage: api:1\n', 'repo/prod.yaml': '\nimage: api\n' };

  const { told } = await validate(files, '--values', 'repo/prod.yaml');

  assert.deepEqual(told, [
    'error schema/unknown-field app/templates/api.yaml:1',
    'warning policy/no-latest-tag prod.yaml:2',
  ]);
});

test('of a kustomization, what a patch sets is found in the patch', async () => {
  const { told } = await validate({
    'repo/app/kustomization.yaml': 'resources: [pod.yaml]\npatches: [{path: patch.yaml}]\n',
    'repo/app/pod.yaml': POD.replace('a:latest', 'a:1').replace(
      '{name: a,',
      '{resources: {limits: {memory: 1Gi}}, name: a,',
    ),
    'repo/app/patch.yaml': 'apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  hostNetwork: true\n',
  });

  assert.deepEqual(told, ['warning policy/no-host-namespaces app/patch.yaml:5']);
});

test('of a kustomization, what a container lacks is found at its name', async () => {
  const container = '  - image: a:1\n    name: a\n    args: [b]\n';
  const { told } = await validate({
    'repo/app/kustomization.yaml': 'resources: [pod.yaml]\n',
    'repo/app/pod.yaml': `apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n${container}`,
  });

  assert.deepEqual(told, ['warning policy/memory-limit app/pod.yaml:7']);
});

const DEFINITION = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.org}
spec:
  group: example.org
  names: {kind: Widget, plural: widgets}
  scope: Namespaced
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec: {type: object, required: [size], properties: {size: {type: integer, minimum: 1}}}
`;
const WIDGET = 'apiVersion: example.org/v1\nkind: Widget\nmetadata: {name: w}\nspec:\n  size: 0\n  colour: red\n';

test('custom resources are held against the definition in the folder', async () => {
  const { told, unknownKinds } = await validate({ 'repo/app/crd.yaml': DEFINITION, 'repo/app/w.yaml': WIDGET });

  assert.deepEqual(told, ['error schema/invalid-value app/w.yaml:5', 'error schema/unknown-field app/w.yaml:6']);
  assert.deepEqual(unknownKinds, []);
});

test('kinds of which nothing is known are named, and not refused', async () => {
  const { code, stderr, unknownKinds } = await validate({ 'repo/app/w.yaml': WIDGET });

  assert.equal(code, 0);
  assert.deepEqual(unknownKinds, [{ kind: 'Widget.example.org', count: 1 }]);
  assert.equal(stderr, 'note: fields not checked, since no definition of the kind is here: Widget.example.org (1)\n');
});

test('an expression that cannot be told is a finding with the severity of its policy', async () => {
  const rules = 'policies: [{name: r, action: deny, expression: object.spec.none == 1}]\n';

  const { code, findings } = await validate({ 'repo/app/a.yaml': GOOD, 'r.yaml': rules }, '--policy', 'r.yaml');

  assert.equal(code, 1);
  assert.match(findings[0]?.message ?? '', /^r cannot be told: No such key: none$/);
});

test('no value of a Secret is in any format', async () => {
  const secret = 'apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {a: 424242, b: hunter2}\n';
  const rules = `policies: [{name: r, action: deny, expression: 'false', messageExpression: object.stringData.b}]\n`;
  await using folder = await folderWith({ ...GIT, 'repo/app/a.yaml': secret, 'r.yaml': rules });

  for (const format of ['table', 'json', 'sarif', 'junit']) {
    const inputs = ['validate', 'repo/app', '--policy', 'r.yaml', '-o', format];
    const { stdout, stderr } = await runCaptured(inputs, { cwd: folder.path });

    assert.match(stdout, /stringData\.a is a number/);
    assert.doesNotMatch(stdout + stderr, /424242|hunter2/);
  }
});

interface Sarif {
  readonly $schema: string;
  readonly version: string;
  readonly runs: readonly {
    readonly tool: { readonly driver: { readonly name: string; readonly rules: readonly SarifRule[] } };
    readonly results: readonly SarifResult[];
  }[];
}
interface SarifRule {
  readonly id: string;
  readonly shortDescription: { readonly text: string };
  readonly help: { readonly text: string };
}
interface SarifResult {
  readonly ruleId: string;
  readonly ruleIndex: number;
  readonly level: string;
  readonly message: { readonly text: string };
  readonly partialFingerprints: Readonly<Record<string, string>>;
  readonly locations: readonly {
    readonly physicalLocation: {
      readonly artifactLocation: { readonly uri: string };
      readonly region: { readonly startLine: number };
    };
  }[];
}

async function sarifOf(files: Readonly<Record<string, string>>): Promise<Sarif> {
  await using folder = await folderWith({ ...GIT, ...files });
  const { stdout } = await runCaptured(['validate', 'repo/app', '-o', 'sarif'], { cwd: folder.path });
  return JSON.parse(stdout) as Sarif;
}

test('SARIF has what the schema requires, relative URIs, and a rule with help for each result', async () => {
  const { version, $schema, runs } = await sarifOf({
    'repo/app/my app/ä.yaml': BAD,
    ...{ 'repo/app/b.yaml': 'a: [\n' },
  });

  const [run] = runs;
  assert.deepEqual([version, runs.length, run?.tool.driver.name], ['2.1.0', 1, 'plumb']);
  assert.match($schema, /sarif-2\.1\.0/);
  assert.equal(run?.results.length, 4);
  for (const { ruleId, ruleIndex, level, message, locations, partialFingerprints } of run?.results ?? []) {
    const rule: SarifRule | undefined = run?.tool.driver.rules[ruleIndex];
    assert.equal(rule?.id, ruleId);
    assert.ok(rule.shortDescription.text !== '' && rule.help.text !== '');
    assert.ok(['error', 'warning', 'note', 'none'].includes(level));
    assert.notEqual(message.text, '');
    const [location] = locations;
    const { uri } = location?.physicalLocation.artifactLocation ?? { uri: '/' };
    assert.equal(new URL(uri, 'file:///base/').href, `file:///base/${uri}`);
    assert.ok(Number.isInteger(location?.physicalLocation.region.startLine));
    assert.match(partialFingerprints['plumb/v1'] ?? '', /^[0-9a-f]{32}$/);
  }
  assert.equal(run?.results[0]?.locations[0]?.physicalLocation.artifactLocation.uri, 'app/b.yaml');
  assert.equal(run?.results[1]?.locations[0]?.physicalLocation.artifactLocation.uri, 'app/my%20app/%C3%A4.yaml');
});

test('a finding of SARIF keeps its fingerprint when lines move', async () => {
  const prints = ({ runs }: Sarif) => runs[0]?.results.map(({ partialFingerprints }) => partialFingerprints);

  const [before, after] = [
    await sarifOf({ 'repo/app/a.yaml': BAD }),
    await sarifOf({ 'repo/app/a.yaml': `\n\n# moved\n${BAD}` }),
  ];

  assert.deepEqual(prints(before), prints(after));
});

test('JUnit has a case for each object: refusals are failures, warnings are output', async () => {
  await using folder = await folderWith({ ...GIT, 'repo/app/a.yaml': BAD, 'repo/app/b.yaml': GOOD });

  const { code, stdout } = await runCaptured(['validate', 'repo/app', '-o', 'junit'], { cwd: folder.path });

  assert.equal(code, 1);
  assert.equal(
    stdout,
    `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="plumb validate" tests="2" failures="1" errors="0">
  <testsuite name="app/a.yaml" tests="1" failures="1" errors="0" skipped="0" time="0">
    <testcase name="Deployment/api in default" classname="app/a.yaml" time="0">
      <failure message="spec.replica is not a field of DeploymentSpec (and 1 more)" type="schema/unknown-field">app/a.yaml:6: error schema/unknown-field: spec.replica is not a field of DeploymentSpec. Did you mean replicas?
app/a.yaml:16: error schema/wrong-type: spec.template.spec.containers[name=&quot;app&quot;].env[name=&quot;PORT&quot;].value is a number, not a text. Put it in quotes.</failure>
      <system-out>app/a.yaml:13: warning policy/no-latest-tag: the image api names no version. Write a tag other than latest, or a digest.</system-out>
    </testcase>
  </testsuite>
  <testsuite name="app/b.yaml" tests="1" failures="0" errors="0" skipped="0" time="0">
    <testcase name="Service/api in default" classname="app/b.yaml" time="0"/>
  </testsuite>
</testsuites>
`,
  );
});

test('two runs say the same, byte by byte', async () => {
  const files = {
    ...GIT,
    ...CHART,
    'repo/app/templates/pods.yaml': `${POD}---\n${POD.replace('name: a}', 'name: b}')}`,
  };
  await using folder = await folderWith(files);
  const run = () => runCaptured(['validate', 'repo/app', '-o', 'sarif'], { cwd: folder.path });

  assert.deepEqual(await run(), await run());
});
