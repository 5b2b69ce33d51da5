import { POLICY_ACTIONS, POLICY_LIMITS, POLICY_VARIABLES, STARTER_SET } from '../packages/policy/src/index.ts';
import { cell, madeFrom, table } from './generated-page.ts';

const INTRODUCTION = `# Policies

${madeFrom('packages/policy/src and tools/policy-page.ts')}

A file of policies is YAML or JSON: one or more documents with the list \`policies\`. How to write one is in
[the guide](../guides/policies.md). A policy of a name that is there already takes its place; one without \`expression\` changes
only what it names. What is wrong with a file is told with its line: \`PolicyInvalid\`, \`CelSyntax\`, \`CelType\`, \`CelCost\`
([errors](../errors.md)).

## Fields
`;

const FIELDS: readonly (readonly [name: string, type: string, meaning: string])[] = [
  ['name', 'text', 'Lower case letters, digits, `-` and `.`, at most 63. Needed.'],
  ['expression', 'CEL, bool', 'True is fine. Needed, but for a policy that changes one by its name.'],
  [
    'action',
    'text or map',
    `${POLICY_ACTIONS.map((action) => `\`${action}\``).join(', ')}; or a map from environments to them: the first that matches counts, \`*\` stands for any characters, no match is \`off\`. Needed.`,
  ],
  ['subject', 'text', `What it is asked about, once each: see below. Default \`object\`.`],
  ['match.kinds', 'list', '`Deployment` of any group, or `Deployment.apps`. Default all.'],
  ['match.groups', 'list', "API groups; `''` is the core group. Default all."],
  ['match.namespaces', 'list', 'Namespaces of the objects, with `*`. Default all.'],
  ['match.environments', 'list', 'Environments, with `*`. Default all, and where there is none.'],
  ['message', 'text', 'What is wrong, in half a sentence. Default: that the policy does not hold.'],
  ['messageExpression', 'CEL, text', 'The same, worked out; `message` counts where it cannot be.'],
  ['description', 'text', 'What the policy is for, in a sentence. Default the message.'],
  ['fix', 'text', 'The next step, in a sentence.'],
  ['field', 'path', 'Where in the subject a finding points: `resources.limits.memory`. Default all of it.'],
];

const VARIABLES: Readonly<Record<string, string>> = {
  object: 'the object as it is wanted, with its namespace; values of Secrets are `(secret)`',
  oldObject: 'the object as it runs, where that is known; otherwise null',
  objects: 'all objects of the application',
  byKind: 'the same as lists by kind: `byKind.?Service.orValue([])`',
  pod: 'the `PodSpec`',
  container: 'one of `containers` or `initContainers`',
  isInit: 'whether it is one of `initContainers`',
  item: 'one thing that the plan would do: `action` (`create`, `change`, `replace`, `adopt`, `delete`, `blocked`), `group`, `kind`, `namespace`, `name`, `reason`, and `changes` with `path`, `before` and `after`',
  plan: 'the plan: `items`',
  environment: 'the environment; empty where there is none',
  application: 'the name of the Application, or of the release',
  targetNamespace: 'the namespace that the application goes to',
};

const SUBJECTS: Readonly<Record<string, string>> = {
  object: 'each object',
  pod: 'each pod, of whatever kind makes it',
  container: 'each container of each pod',
  item: 'each item of a plan',
  plan: 'a plan as a whole',
};

/** The page `docs/reference/policies.md`: fields, subjects with what an expression sees, and the starter set. */
export function policyPage(): string {
  const subjects = Object.entries(POLICY_VARIABLES).map(([subject, variables]) => [
    `\`${subject}\``,
    SUBJECTS[subject] ?? '',
    variables.map((name) => `\`${name}\``).join(', '),
  ]);
  return [
    INTRODUCTION,
    ...table(
      ['Field', 'Type', 'Meaning'],
      FIELDS.map(([name, type, meaning]) => [`\`${name}\``, type, meaning]),
    ),
    '\n## Subjects\n',
    ...table(['Subject', 'Asked about', 'An expression sees'], subjects),
    '\n## Variables\n',
    ...table(
      ['Variable', 'Is'],
      Object.entries(VARIABLES).map(([name, meaning]) => [`\`${name}\``, meaning]),
    ),
    `\nBesides the functions of CEL there is \`selects(selector, labels)\`. One evaluation may take ${POLICY_LIMITS.steps.toLocaleString('en')} steps and`,
    `${POLICY_LIMITS.timeMs / 1000} s; the pattern of \`matches\` has to be written out.`,
    '\n## Starter set\n',
    'Each of them warns in every environment, until a file says otherwise by its name.\n',
    ...table(['Policy', 'For', 'Subject', 'Kinds'], STARTER_SET.map(starterRow)),
    '',
  ].join('\n');
}

function starterRow({ name, description, subject, match }: (typeof STARTER_SET)[number]): readonly string[] {
  const { kinds } = (match ?? {}) as { readonly kinds?: readonly string[] };
  return [
    `\`${String(name)}\``,
    cell(String(description)),
    String(subject),
    kinds === undefined ? 'all' : kinds.map((kind) => `\`${kind}\``).join(', '),
  ];
}
