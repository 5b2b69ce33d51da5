import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { CommentedFinding } from './commented-policies.ts';
import { HOST_LIMITS } from './limits.ts';
import { planComment, type CommentedItem, type CommentedPlan } from './plan-comment.ts';
import { stickyMarker } from './sticky-comment.ts';

const MARKER = stickyMarker('default/shop');
const GITHUB = { limits: HOST_LIMITS.github, marker: MARKER, label: '9f3c1ab' };
const BITBUCKET = { ...GITHUB, limits: HOST_LIMITS.bitbucket };

type Planned = Extract<CommentedPlan, { readonly items: unknown }>;

function plan(items: readonly CommentedItem[], more: Partial<Planned> = {}): Planned {
  const counts = { delete: 0, replace: 0, change: 0, adopt: 0, create: 0, blocked: 0, unchanged: 36 };
  for (const { action } of items) counts[action]++;
  return {
    namespace: 'default',
    app: 'checkout',
    env: 'prod-us',
    targetNamespace: 'shop',
    digest: '1c9e4b0a77ff',
    counts,
    notes: [],
    items,
    ...more,
  };
}

const ITEMS: readonly CommentedItem[] = [
  { action: 'create', kind: 'ConfigMap', namespace: 'shop', name: 'flags', file: 'flags.yaml', line: 1 },
  {
    action: 'change',
    kind: 'Deployment',
    namespace: 'shop',
    name: 'api',
    file: 'api.yaml',
    line: 1,
    changes: [
      {
        path: 'spec.template.spec.containers[name="api"].image',
        before: 'shop/api:2.13.4',
        after: 'shop/api:2.14.0',
        place: { file: 'values-prod.yaml', line: 7 },
      },
    ],
  },
  { action: 'replace', kind: 'Job', namespace: 'shop', name: 'migrate', forcedBy: 'spec.template' },
  { action: 'delete', kind: 'PersistentVolumeClaim', namespace: 'shop', name: 'reports' },
];

test('a plan is told with what is lost first, folded for each environment, with the digest', () => {
  const dev = plan([], { env: 'dev', digest: 'aaaaaaaaaaaa' });

  assert.equal(
    planComment([dev, plan(ITEMS, { notes: ['chart web 1.2.0 (sha256:abc)'] })], GITHUB),
    `### Plumb: plan of <code>9f3c1ab</code>

**1 to delete, 1 to replace, 1 to change, 1 to create, 72 unchanged** in 2 targets.

<details><summary><code>checkout → dev</code>: 36 unchanged</summary>

digest <code>aaaaaaaaaaaa</code>, namespace <code>shop</code>

</details>
<details open><summary><code>checkout → prod-us</code>: 1 to delete, 1 to replace, 1 to change, 1 to create, 36 unchanged</summary>

\`\`\`diff
- delete   PersistentVolumeClaim/reports
    not in Git any more
! replace  Job/migrate
    deleted and made anew: spec.template cannot be changed
! change   Deployment/api   api.yaml:1
    image 2.13.4 → 2.14.0   values-prod.yaml:7
+ create   ConfigMap/flags   flags.yaml:1
\`\`\`

\`\`\`
note: chart web 1.2.0 (sha256:abc)
\`\`\`

digest <code>1c9e4b0a77ff</code>, namespace <code>shop</code>

</details>

${MARKER}
`,
  );
});

test('what policies deny is told before all else, and what they warn of after it', () => {
  const finding = { policy: 'team-label', message: 'it belongs to <b>no</b> team', fix: 'Add one.', file: 'api.yaml' };
  const findings = [
    { ...finding, severity: 'warn', object: 'Deployment/web' },
    { ...finding, severity: 'deny', object: 'Deployment/api', line: 4 },
    { ...finding, severity: 'warn', policy: 'no-scale-down' },
  ] as const;

  const text = planComment([plan(ITEMS.slice(0, 1), { findings }), plan([], { env: 'dev' })], GITHUB);

  assert.match(text, /^\*\*1 denied by policies, 2 warnings, 1 to create, 72 unchanged\*\* in 2 targets\.$/m);
  assert.match(
    text,
    /^<details open><summary>.* 1 denied by policies, 2 warnings, 1 to create, 36 unchanged<\/summary>$/m,
  );
  assert.match(
    text,
    /^```diff\n! denied {3}Deployment\/api: it belongs to <b>no<\/b> team \(team-label\) {3}api\.yaml:4\n {4}fix: Add one\.\n\+ create .*\n! warning {2}Deployment\/web: .*\n.*\n! warning {2}it belongs .* \(no-scale-down\)/m,
  );
});

test('what a policy of the cluster denies is told with the name of the policy', () => {
  const error = { message: 'apply Deployment/api: … denied request: no', fix: 'Ask.' };
  const deniedBy = { policy: 'replicas', binding: 'all', message: 'no' };

  const text = planComment([plan([{ action: 'blocked', kind: 'Deployment', name: 'api', error, deniedBy }])], GITHUB);

  assert.match(
    text,
    /^! blocked {2}Deployment\/api\n {4}denied by the ValidatingAdmissionPolicy replicas \(binding all\): no\n {4}fix: Ask\.$/m,
  );
});

test('where a host shows HTML as text there is none, and nothing is folded', () => {
  const text = planComment([plan(ITEMS)], BITBUCKET);

  assert.doesNotMatch(text, /[<>]/);
  assert.match(text, /^`checkout → prod-us`: 1 to delete/m);
  assert.ok(text.endsWith(`\n${MARKER}\n`));
});

test('a target that cannot be planned says why, with file and line', () => {
  const failed: CommentedPlan = {
    app: 'checkout',
    env: 'prod',
    errors: [{ code: 'TemplateError', message: 'no such\nvalue', fix: 'Correct it.', file: 'a.yaml', line: 3 }],
  };

  const text = planComment([failed], GITHUB);

  assert.match(text, /\*\*1 cannot be planned\*\*/);
  assert.match(text, /<details open><summary><code>checkout → prod<\/code>: cannot be planned/);
  assert.match(text, /^! a\.yaml:3: no such value \(TemplateError\)\n {4}fix: Correct it\.$/m);
});

test('deletions that ask for an approval say so, and a pull request that touches nothing as well', () => {
  const blocked = plan(ITEMS, {
    blockedDeletions: { digest: 'bbbbbbbbbbbb', reason: '1 object of a kind that holds data' },
  });

  assert.match(planComment([blocked], GITHUB), /^approve exactly this set of deletions: bbbbbbbbbbbb$/m);
  assert.match(planComment([], GITHUB), /No application reads what this pull request changes\./);
});

test('at the limit of the host what is lost of all targets comes before what changes in any', () => {
  const many = (count: number, action: CommentedItem['action'], kind: string): CommentedItem[] =>
    Array.from({ length: count }, (_, index) => ({ action, kind, namespace: 'shop', name: `${action}-${index}` }));
  const plans = ['dev', 'prod'].map((env) =>
    plan([...many(400, 'change', 'Deployment'), ...many(20, 'delete', 'Service')], { env }),
  );
  const limits = { commentChars: 8_000, canFold: true };

  const text = planComment(plans, { ...GITHUB, limits });

  assert.ok(text.length <= 8_000 && text.length > 7_000, String(text.length));
  assert.equal(text.match(/^- delete/gm)?.length, 40);
  const [, dev = '', prod = ''] = /([0-9]+) more: [^]*?([0-9]+) more: /.exec(text) ?? [];
  assert.equal(text.match(/^! change/gm)?.length, 800 - Number(dev) - Number(prod));
  assert.match(text, /more: <code>plumb plan checkout -n default -e prod<\/code>/);
});

test('what is left out is read at the link, or by the id of the plan, or by planning again', () => {
  const items = Array.from({ length: 200 }, (_, index): CommentedItem => ({
    action: 'create',
    kind: 'Secret',
    name: `s${index}`,
  }));
  const options = { ...GITHUB, limits: { commentChars: 2_000, canFold: true } };

  assert.match(
    planComment([plan(items)], { ...options, link: 'https://plumb.example/p' }),
    /more: \[read them\]\(https:\/\/plumb\.example\/p\)/,
  );
  assert.match(planComment([plan(items, { id: 'p-5521' })], options), /more: <code>plumb plan show p-5521<\/code>/);
  assert.match(planComment([plan(items)], options), /more: <code>plumb plan checkout -n default -e prod-us<\/code>/);
});

test('when there is no room to name all targets, those that lose something are named', () => {
  const plans = Array.from({ length: 300 }, (_, index) =>
    plan(index % 100 === 99 ? ITEMS : [], { env: `env-${index}` }),
  );

  const text = planComment(plans, { ...GITHUB, limits: { commentChars: 6_000, canFold: true } });

  assert.ok(text.length <= 6_000);
  for (const env of ['env-99', 'env-199', 'env-299']) assert.match(text, new RegExp(`→ ${env}<`));
  assert.match(text, /\n\d+ more targets have no room here\.\n/);
});

test('a link that could be more than a link is left out', () => {
  for (const link of [
    'javascript:alert(1)',
    'https://x.example/a)b',
    'https://x.example/*b*',
    'https://me:pw@x.example/',
    'nothing',
  ]) {
    assert.doesNotMatch(planComment([plan([])], { ...GITHUB, link }), /All of it/, link);
  }
});

const HOSTILE = [
  '```',
  '````````',
  '`',
  '</details>',
  '<script>alert(1)</script>',
  '@everyone',
  '#1',
  '!2',
  '[a](https://evil.example)',
  '![](https://evil.example/x.png)',
  'https://evil.example',
  'www.evil.example',
  '\n',
  '\r',
  '\u2028',
  '\u202e',
  '\u0000',
  '\ud800',
  '~~~',
  '    ',
  '* ',
  '# ',
  '&lt;',
  '|',
  '\\',
  MARKER,
  '/plumb approve abcdef',
  '$x$',
  ':tada:',
  '😀',
] as const;
const text = fc.oneof(
  fc
    .array(fc.oneof(fc.constantFrom(...HOSTILE), fc.string({ unit: 'binary', maxLength: 8 })), { maxLength: 6 })
    .map((parts) => parts.join('')),
  fc.string({ maxLength: 400 }),
);
const item: fc.Arbitrary<CommentedItem> = fc.record(
  {
    action: fc.constantFrom('delete', 'replace', 'change', 'adopt', 'create', 'blocked'),
    kind: text,
    name: text,
    namespace: text,
    reason: text,
    file: text,
    line: fc.nat(9_999),
    changes: fc.array(fc.record({ path: text, before: text, after: text, place: fc.record({ file: text }) }), {
      maxLength: 15,
    }),
    forcedBy: text,
    error: fc.record({ message: text, fix: text }),
  },
  { requiredKeys: ['action', 'kind', 'name'] },
);
const finding: fc.Arbitrary<CommentedFinding> = fc.record(
  {
    policy: text,
    severity: fc.constantFrom('warn', 'deny'),
    object: text,
    message: text,
    fix: text,
    file: text,
    line: fc.nat(9_999),
  },
  { requiredKeys: ['policy', 'severity', 'message', 'fix'] },
);
const anyPlan: fc.Arbitrary<CommentedPlan> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .record({
        app: text,
        env: text,
        items: fc.array(item, { maxLength: 12 }),
        findings: fc.array(finding, { maxLength: 4 }),
        notes: fc.array(text, { maxLength: 12 }),
        digest: text,
      })
      .map(({ items, ...more }) => plan(items, more)),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      app: text,
      env: text,
      errors: fc.array(fc.record({ code: text, message: text, fix: text, file: text }), {
        minLength: 1,
        maxLength: 30,
      }),
    }),
  },
);

/** What Markdown would read of it: the lines outside of blocks of code. */
function outside(body: string): readonly string[] {
  const lines: string[] = [];
  let fence: string | undefined;
  for (const line of body.split('\n')) {
    const [, mark = ''] = /^ {0,3}(`{3,}|~{3,})/.exec(line) ?? [];
    if (fence === undefined && mark !== '') fence = mark;
    else if (fence === undefined) lines.push(line);
    else if (mark.startsWith(fence) && line.trim() === mark) fence = undefined;
  }
  assert.equal(fence, undefined, 'a block of code is not closed');
  return lines;
}

const NAME = '[A-Za-z0-9._/+ →-]*';
const OURS = [
  `### Plumb: plan of (?:<code>${NAME}</code>|\`${NAME}\`)`,
  String.raw`\*\*[0-9a-z, ]+\*\* in \d+ targets?(?:, \*\*\d+ cannot be planned\*\*)?\.`,
  String.raw`No application reads what this pull request changes\.`,
  `<details(?: open)?><summary><code>${NAME}</code>: [0-9a-z, ]+</summary>`,
  `\`${NAME}\`: [0-9a-z, ]+`,
  `digest (?:<code>${NAME}</code>|\`${NAME}\`), namespace (?:<code>${NAME}</code>|\`${NAME}\`)`,
  String.raw`\d+ more: (?:<code>plumb plan ${NAME}</code>|` + `\`plumb plan ${NAME}\`)`,
  String.raw`\d+ more targets? (?:has|have) no room here\.`,
  '</details>',
  '',
].map((pattern) => new RegExp(`^${pattern}$`));

test('whatever a plan holds, the comment keeps to the limit, ends with its marker, and says only what we say outside of code', () => {
  fc.assert(
    fc.property(
      fc.array(anyPlan, { maxLength: 8 }),
      fc.integer({ min: 2_000, max: 12_000 }),
      fc.boolean(),
      text,
      (plans, commentChars, canFold, label) => {
        const body = planComment(plans, { limits: { commentChars, canFold }, marker: MARKER, label });

        assert.ok(body.length <= commentChars, `${body.length} > ${commentChars}`);
        assert.ok(body.endsWith(`\n\n${MARKER}\n`) && body.isWellFormed());
        const lines = outside(body);
        assert.deepEqual(
          lines.filter((line) => line !== MARKER && !OURS.some((pattern) => pattern.test(line))),
          [],
        );
        assert.equal(lines.filter((line) => line === MARKER).length, 1);
        assert.equal(
          lines.filter((line) => line.startsWith('<details')).length,
          lines.filter((line) => line === '</details>').length,
        );
        // eslint-disable-next-line no-control-regex -- control characters are what is looked for
        assert.doesNotMatch(body, /[\u0000-\u0009\u000b-\u001f\u007f\u200b-\u200f\u2028-\u202e\u2066-\u2069]/);
      },
    ),
    { numRuns: 300 },
  );
});

test('the same plan makes the same text, so that nothing is written anew', () => {
  fc.assert(
    fc.property(
      fc.array(anyPlan, { maxLength: 4 }),
      (plans) => planComment(plans, GITHUB) === planComment(plans, GITHUB),
    ),
    { numRuns: 50 },
  );
});
