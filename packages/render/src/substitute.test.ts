import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isJsonArray, isJsonObject, type DocumentAt, type Json, type JsonObject, type PlumbError } from '@plumb/core';
import fc from 'fast-check';
import { substitute, type Substitution } from './substitute.ts';

type Variables = Substitution['variables'];

const MIB = 1024 * 1024;

function at(value: JsonObject, line = 1): DocumentAt {
  return { value, origin: { file: 'a.yaml', line } };
}

function run(value: JsonObject, substitution: Substitution): { value: JsonObject; errors: readonly PlumbError[] } {
  const errors: PlumbError[] = [];
  const [document] = substitute([at(value)], substitution, errors);
  assert.ok(document);
  return { value: document.value, errors };
}

/** The object with its variables replaced, where nothing is wrong. */
function replaced(value: JsonObject, variables: Variables): JsonObject {
  const { value: result, errors } = run(value, { variables });
  assert.deepEqual(errors, []);
  return result;
}

/** One text that stays text, whatever it becomes. */
function replacedText(text: string, variables: Variables): Json | undefined {
  const { args } = replaced({ args: [text] }, variables);
  return isJsonArray(args) ? args[0] : undefined;
}

function problems(text: string, variables: Variables, strict = false): readonly string[] {
  const { value, errors } = run({ args: [text] }, { variables, strict });
  if (errors.length > 0) assert.deepEqual(value, { args: [text] }, 'what is wrong stays as it was');
  return errors.map(({ code, message }) => `${code}: ${message}`);
}

function configMap(more: JsonObject): JsonObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, ...more };
}

test('every expression of Flux gives what it gives there', () => {
  const variables = {
    V: 'abcABC123ABCabc',
    PATH: '/data/bozo/ideas/thoughts.for.today',
    FILE: 'bash.string.txt',
    EMPTY: '',
    TWO: '2',
    STAR: '*.',
  };
  const cases: readonly (readonly [string, string])[] = [
    [`\${V}`, 'abcABC123ABCabc'],
    [`<\${V}|\${TWO}>`, '<abcABC123ABCabc|2>'],
    [`\${#V}`, '15'],
    [`\${#EMPTY}`, '0'],
    [`\${V^}`, 'AbcABC123ABCabc'],
    [`\${V^^}`, 'ABCABC123ABCABC'],
    [`\${PATH^}`, '/data/bozo/ideas/thoughts.for.today'],
    [`\${V,}`, 'abcABC123ABCabc'],
    [`\${V,,}`, 'abcabc123abcabc'],
    [`\${EMPTY^}`, ''],
    [`\${PATH:11}`, 'ideas/thoughts.for.today'],
    [`\${PATH:11:5}`, 'ideas'],
    [`\${PATH:0:5}`, '/data'],
    [`\${PATH:99}`, ''],
    [`\${PATH:99:5}`, ''],
    [`\${PATH:30:99}`, 'today'],
    [`\${PATH: -5}`, 'today'],
    [`\${PATH: -5:2}`, 'to'],
    [`\${PATH:1:-6}`, 'data/bozo/ideas/thoughts.for'],
    [`\${TWO: -9}`, '2'],
    [`\${TWO:1:-1}`, ''],
    [`\${V:\${TWO}:\${TWO}}`, 'cA'],
    [`\${FILE#*.}`, 'string.txt'],
    [`\${FILE##*.}`, 'txt'],
    [`\${FILE%.*}`, 'bash.string'],
    [`\${FILE%%.*}`, 'bash'],
    [`\${PATH##*/}`, 'thoughts.for.today'],
    [`\${PATH%/*}`, '/data/bozo/ideas'],
    [`\${FILE#\${STAR}}`, 'string.txt'],
    [`\${V/abc/xyz}`, 'xyzABC123ABCabc'],
    [`\${V//abc/xyz}`, 'xyzABC123ABCxyz'],
    [`\${V//ABC/}`, 'abc123abc'],
    [`\${V/#abc/XYZ}`, 'XYZABC123ABCabc'],
    [`\${V/#b/XYZ}`, 'abcABC123ABCabc'],
    [`\${V/%abc/XYZ}`, 'abcABC123ABCXYZ'],
    [`\${V/%b/XYZ}`, 'abcABC123ABCabc'],
    [`\${TWO/#/x}`, 'x2'],
    [`\${TWO/%/x}`, '2x'],
    [`\${TWO//\${TWO}/\${TWO}\${TWO}}`, '22'],
    [`\${PATH//\\//-}`, '-data-bozo-ideas-thoughts.for.today'],
    [`\${TWO/2/a\\\\b\\/c\\d}`, 'a\\b/c\\d'],
    [`\${TWO/2/$&}`, '$&'],
  ];

  for (const [text, expected] of cases) assert.equal(replacedText(text, variables), expected, text);
});

test('a default stands in for a variable that is not set, and where Flux says so for an empty one', () => {
  const variables = { SET: 's', EMPTY: '', NAME: 'n' };
  const cases: readonly (readonly [operator: string, unset: string, empty: string])[] = [
    [':-', 'd', 'd'],
    [':=', 'd', 'd'],
    ['=', 'd', 'd'],
    ['-', 'd', ''],
  ];

  for (const [operator, unset, empty] of cases) {
    assert.equal(replacedText(`\${NONE${operator}d}`, variables), unset, operator);
    assert.equal(replacedText(`\${EMPTY${operator}d}`, variables), empty, operator);
    assert.equal(replacedText(`\${SET${operator}d}`, variables), 's', operator);
    assert.equal(replacedText(`\${NONE${operator}}`, variables), '', operator);
    assert.equal(replacedText(`\${NONE${operator}a-\${NAME^}:/\\z}`, variables), 'a-N:/\\z', operator);
    assert.equal(replacedText(`\${NONE${operator}\${NONE${operator}\${NAME}}}`, variables), 'n', operator);
  }
});

test('a pattern takes the shortest or the longest match, from the start or from the end', () => {
  const cases: readonly (readonly [value: string, operation: string, expected: string])[] = [
    ['aXbXc', '#*X', 'bXc'],
    ['aXbXc', '##*X', 'c'],
    ['aXbXc', '%X*', 'aXb'],
    ['aXbXc', '%%X*', 'a'],
    ['aXbXc', '#*', 'aXbXc'],
    ['aXbXc', '##*', ''],
    ['aXbXc', '#X', 'aXbXc'],
    ['aXbXc', '##a*X?', ''],
    ['aXbXc', '#a*X?', 'Xc'],
    ['abab', '#*a*b', 'ab'],
    ['abab', '##*a*b', ''],
    ['ab', '#a*b*b', 'ab'],
    ['v1.2', '#[a-z]', '1.2'],
    ['v1.2', '#[^0-9]', '1.2'],
    ['v1.2', '#[!v]', 'v1.2'],
    ['v1.2', '%%[0-9.]*', 'v'],
    ['a]b', '#a[]]', 'b'],
    ['a-b', '#a[x-]', 'b'],
    ['[a', '#[', 'a'],
    ['*a', '#\\*', 'a'],
    ['xa', '#\\*', 'xa'],
    ['a\\', '%\\', 'a'],
    ['😀b', '#?', 'b'],
    ['a😀', '%?', 'a'],
  ];

  for (const [value, operation, expected] of cases) {
    assert.equal(replacedText(`\${V${operation}}`, { V: value }), expected, `${operation} on ${value}`);
  }
});

test('a character outside of the basic plane is one character', () => {
  const variables = { V: '😀éx' };

  assert.equal(replacedText(`\${#V}`, variables), '3');
  assert.equal(replacedText(`\${V:1}`, variables), 'éx');
  assert.equal(replacedText(`\${V:0:1}`, variables), '😀');
  assert.equal(replacedText(`\${V:1}`, { V: '𐐨x' }), 'x');
  assert.equal(replacedText(`\${V^}`, { V: '𐐨x' }), '𐐀x');
});

test('two dollar signs are one, and begin no expression', () => {
  const variables = { V: 'v' };
  const cases: readonly (readonly [string, string])[] = [
    [`$\${V}`, `\${V}`],
    [`$$\${V}`, '$v'],
    [`$$$\${V}`, `$\${V}`],
    ['$$', '$'],
    ['a$$b', 'a$b'],
    ['$', '$'],
    ['$V $1 $(V) $', '$V $1 $(V) $'],
    [`\${V}$\${V$\${V}$V\${V}`, `v\${V\${V}$Vv`],
    [`\${NONE:-a$$b}`, 'a$b'],
    [`\${NONE:-$\${V}}`, `\${V}`],
  ];

  for (const [text, expected] of cases) assert.equal(replacedText(text, variables), expected, text);
});

test('braces that name no variable are left alone', () => {
  const texts = [
    `\${1}`,
    `\${@}`,
    `\${}`,
    `\${{ x }}`,
    `\${a.b}`,
    `\${a b}`,
    `\${a[0]}`,
    `\${#}`,
    `\${#1}`,
    `\${#a[@]}`,
    `\${ä}`,
    '${',
    `\${1`,
    'a}b{c',
  ];

  for (const text of texts) assert.equal(replacedText(text, { a: 'A' }), text);
  assert.equal(replacedText(`\${{ \${a} }}`, { a: 'A' }), `\${{ A }}`);
});

test('an expression that Flux does not have, or that is cut off, is refused without its operands', () => {
  const cases: readonly (readonly [string, string])[] = [
    [`\${V:+x}`, `\${V:+…} is not supported`],
    [`\${V:?x}`, `\${V:?…} is not supported`],
    [`\${V+x}`, `\${V+…} is not supported`],
    [`\${V?x}`, `\${V?…} is not supported`],
    [`\${V`, `\${V…} is never closed`],
    [`\${V:-x`, `\${V:-…} is never closed`],
    [`\${V:-\${W}`, `\${V:-…} is never closed`],
    [`\${V^x}`, `\${V^…} takes nothing after its sign`],
    [`\${V/x}`, `\${V/…} needs a second slash, and after it the replacement`],
    [`\${V:}`, `\${V:…} needs whole numbers: the position, and after a colon the length`],
    [`\${V:x}`, `\${V:…} needs whole numbers: the position, and after a colon the length`],
    [`\${V:1:}`, `\${V:…} needs whole numbers: the position, and after a colon the length`],
    [`\${V:1:2:3}`, `\${V:…} needs whole numbers: the position, and after a colon the length`],
    [`\${V:-\${1}}`, 'a "${" inside of an expression names no variable'],
  ];

  for (const [text, message] of cases) {
    assert.deepEqual(problems(text, { V: 'v' }), [`SubstitutionInvalid: ${message}`], text);
  }
});

test('expressions stand inside of one another ten deep, not more', () => {
  const nested = (depth: number): string => (depth === 0 ? 'end' : `\${A:-${nested(depth - 1)}}`);

  assert.equal(replacedText(nested(10), {}), 'end');
  assert.deepEqual(problems(nested(11), {}), [`SubstitutionInvalid: \${A:-…} stands inside of 10 others`]);
});

test('the value of a variable is never searched for variables (B45)', () => {
  const variables = { A: `\${B}`, B: 'secret', LOOP: `\${LOOP}`, DOLLARS: '$$' };

  assert.equal(replacedText(`\${A}`, variables), `\${B}`);
  assert.equal(replacedText(`\${NONE:=\${A}}`, variables), `\${B}`);
  assert.equal(replacedText(`\${A:=\${B}}`, { B: `\${A}` }), `\${A}`);
  assert.equal(replacedText(`\${LOOP:=\${LOOP}}`, variables), `\${LOOP}`);
  assert.equal(replacedText(`\${DOLLARS}{B}`, variables), '$$'.concat('{B}'));
  assert.equal(replacedText(`\${NONE:-x}`, { 'NONE:-x': 'y' }), 'x');
  assert.equal(replacedText(`\${constructor}\${__proto__:-d}`, {}), 'd');
});

test('a variable that is not set is empty, and an error where that is asked for (B45)', () => {
  assert.equal(replacedText(`a-\${NONE}\${#NONE}\${NONE^^}\${NONE/#/x}`, {}), 'a-0x');

  assert.deepEqual(problems(`\${A}\${B^^}\${A}\${C:-c}\${D-}`, {}, true), [
    'UnsetVariable: the variable A is not set',
    'UnsetVariable: the variable B is not set',
  ]);
  assert.deepEqual(problems(`\${A:\${B}}`, { A: 'a' }, true), ['UnsetVariable: the variable B is not set']);
  assert.deepEqual(problems(`\${A}\${A:-\${B}}\${EMPTY}`, { A: 'a', EMPTY: '' }, true), []);
});

test('an error names the object, the field and the place, and never a value', () => {
  const errors: PlumbError[] = [];
  const object = {
    kind: 'Deployment',
    metadata: { name: `api-\${A}` },
    spec: { 'a.b': [{ x: `\${A}` }, { x: `\${B} \${A:hidden}` }, { y: `\${B}` }] },
  };

  substitute([at(object, 7)], { variables: { A: 'hidden' }, strict: true }, errors);

  assert.deepEqual(
    errors.map((error) => error.toRecord()),
    [
      {
        code: 'UnsetVariable',
        message: `Deployment/api-\${A}: the variable B is not set`,
        fix: `Set the variable in spec.render.substitute, or give it a default: \${NAME:-default}.`,
        file: 'a.yaml',
        line: 7,
        object: `Deployment/api-\${A}`,
        field: 'spec["a.b"][1].x',
      },
    ],
  );
  assert.ok(!JSON.stringify(problems(`\${A:x}`, { A: 'hidden' })).includes('hidden'));
});

test('a whole scalar of one expression is read as YAML would read it, anything else stays text', () => {
  const cases: readonly (readonly [string, Json])[] = [
    ['3', 3],
    ['3\n', 3],
    ['true', true],
    ['no', false],
    ['1.5', 1.5],
    ['', null],
    ['null', null],
    ['three', 'three'],
    [' three ', ' three '],
    ['9007199254740993', '9007199254740993'],
    ['.inf', '.inf'],
    ['"3"', '"3"'],
    ['[1]', '[1]'],
    ['{a: 1}', '{a: 1}'],
    ['a: 1', 'a: 1'],
    ['!!int 3', '!!int 3'],
    ['# 3', '# 3'],
  ];

  for (const [value, expected] of cases) {
    assert.deepEqual(replaced({ spec: { x: `\${V}` } }, { V: value }), { spec: { x: expected } }, value);
  }
  assert.deepEqual(replaced({ x: [`\${V}`, `\${V:-4}`, `\${N:-4}`, `\${V}0`, `\${V}\${V}`, '$$3'] }, { V: '3' }), {
    x: [3, 3, 4, '30', '33', '$3'],
  });
  assert.deepEqual(replaced({ x: `\${V}\${_:-}` }, { V: '3' }), { x: '3' });
});

test('what Kubernetes takes as text only stays text', () => {
  const v = `\${V}`;
  const template = { metadata: { labels: { v }, annotations: { v } } };
  const object = (spec: JsonObject): JsonObject => ({
    kind: 'Deployment',
    metadata: { name: v, labels: { v }, annotations: { v } },
    spec,
  });
  const spec = {
    replicas: v,
    selector: { matchLabels: { v } },
    template,
    nodeSelector: { v },
    containers: [
      {
        args: [v],
        command: [v],
        env: [{ name: 'A', value: v, valueFrom: { resourceFieldRef: { divisor: v } } }],
        ports: [{ containerPort: v, value: v }],
      },
    ],
    settings: { value: v, args: v, env: { value: v }, labels: v, list: [v] },
  };
  const texts = { ...object({}), metadata: { name: '3', labels: { v: '3' }, annotations: { v: '3' } } };

  assert.deepEqual(replaced(object(spec), { V: '3' }), {
    ...texts,
    spec: {
      replicas: 3,
      selector: { matchLabels: { v: '3' } },
      template: { metadata: { labels: { v: '3' }, annotations: { v: '3' } } },
      nodeSelector: { v: '3' },
      containers: [
        {
          args: ['3'],
          command: ['3'],
          env: [{ name: 'A', value: '3', valueFrom: { resourceFieldRef: { divisor: 3 } } }],
          ports: [{ containerPort: 3, value: 3 }],
        },
      ],
      settings: { value: 3, args: 3, env: { value: 3 }, labels: 3, list: [3] },
    },
  });
});

test('the data of ConfigMaps and Secrets stays text, in a list of them too', () => {
  const v = `\${V}`;
  const secret = { kind: 'Secret', data: { v }, stringData: { v }, immutable: v };
  const typed = { kind: 'ConfigMapList', items: [{ metadata: { name: 'a' }, data: { v } }] };

  assert.deepEqual(replaced(configMap({ data: { v }, binaryData: { v }, immutable: v }), { V: 'true' }), {
    ...configMap({ data: { v: 'true' }, binaryData: { v: 'true' }, immutable: true }),
  });
  assert.deepEqual(replaced({ kind: 'List', items: [secret] }, { V: '3' }), {
    kind: 'List',
    items: [{ kind: 'Secret', data: { v: '3' }, stringData: { v: '3' }, immutable: 3 }],
  });
  assert.deepEqual(replaced(typed, { V: '3' }), {
    kind: 'ConfigMapList',
    items: [{ metadata: { name: 'a' }, data: { v: '3' } }],
  });
  assert.deepEqual(replaced({ kind: 'Other', data: { v } }, { V: '3' }), { kind: 'Other', data: { v: 3 } });
});

test('no value becomes another field, document or structure (B45)', () => {
  const values = [
    'a\nspec: {replicas: 9}',
    'a\n---\nkind: Secret',
    '{a: b}',
    '[a, b]',
    '- a',
    '&a b',
    '*a',
    'a: b',
    '|',
  ];

  for (const value of values) {
    const errors: PlumbError[] = [];
    const documents = substitute([at({ a: `\${V}`, b: `x\${V}` })], { variables: { V: value } }, errors);

    assert.deepEqual(errors, []);
    assert.deepEqual(documents, [at({ a: value, b: `x${value}` })]);
  }
});

test('keys are replaced and stay text; two that become the same are refused without saying what', () => {
  const object = { data: { [`\${A}`]: 'x', [`b-\${B}`]: { [`\${A}`]: 1 } } };

  const same = run({ kind: 'Secret', data: { [`\${A}`]: 'x', [`\${B}`]: 'y' } }, { variables: { A: 'p', B: 'p' } });

  assert.deepEqual(replaced(object, { A: '3', B: 'true' }), { data: { 3: 'x', 'b-true': { 3: 1 } } });
  assert.deepEqual(
    same.errors.map(({ code, message, field }) => [code, message, field]),
    [['SubstitutionInvalid', `Secret: the keys "\${A}" and "\${B}" become the same`, 'data']],
  );
  assert.equal(Object.getPrototypeOf(replaced({ [`\${A}`]: {} }, { A: '__proto__' })), Object.prototype);
});

test('an object that says so is left alone, in a list too', () => {
  const object = (marks: JsonObject): JsonObject => ({ metadata: marks, spec: { x: `\${V}` } });
  const disabled = ['kustomize.toolkit.fluxcd.io/substitute', 'plumb.dev/substitute'].flatMap((mark) => [
    object({ labels: { [mark]: 'disabled' } }),
    object({ annotations: { [mark]: 'disabled' } }),
  ]);
  const enabled = object({ labels: { 'plumb.dev/substitute': 'enabled' } });
  const documents = [...disabled, { kind: 'List', items: disabled }].map((value) => at(value));

  assert.equal(substitute(documents, { variables: { V: 'v' } }, []), documents);
  assert.deepEqual(replaced(enabled, { V: 'v' }), { ...enabled, spec: { x: 'v' } });
  assert.deepEqual(replaced({ kind: 'List', items: [disabled[0] ?? {}, enabled] }, { V: 'v' }), {
    kind: 'List',
    items: [disabled[0], { ...enabled, spec: { x: 'v' } }],
  });
});

test('an error in a list names the item and its place in the list', () => {
  const items = [configMap({ data: {} }), configMap({ data: { x: `\${V}` } })];

  const { errors } = run({ kind: 'List', items }, { variables: {}, strict: true });

  assert.deepEqual(
    errors.map(({ subject, field }) => [subject, field]),
    [['ConfigMap/a', 'items[1].data.x']],
  );
});

test('a value and a text of 1 MiB are taken, one byte more is refused (B45)', () => {
  const full = 'é'.repeat(MIB / 2);
  const tooLarge = ['SubstitutionInvalid: the text has more than 1 MiB once its variables are replaced'];

  assert.equal(replacedText(`\${V}`, { V: full }), full);
  assert.deepEqual(problems(`\${V}`, { V: `${full}a` }), [
    'SubstitutionInvalid: the value of the variable V has more than 1 MiB',
  ]);
  assert.deepEqual(problems(`\${V}a`, { V: full }), tooLarge);
  assert.deepEqual(problems(`\${N:-\${V}\${V}}`, { V: full }), tooLarge);
  assert.deepEqual(problems(`\${V//a/\${V}}`, { V: 'a'.repeat(MIB) }), [
    `SubstitutionInvalid: the text has more than 1 MiB once its variables are replaced`,
  ]);
  assert.deepEqual(problems(`\${V##\${V}}`, { V: full }), [
    `SubstitutionInvalid: \${V##…} has a pattern of more than 1024 characters`,
  ]);
});

test('all texts together may have 64 MiB, and what comes after is not looked at', () => {
  const errors: PlumbError[] = [];
  const documents = Array.from({ length: 70 }, (_, index) => at({ data: { x: `\${V}` } }, index + 1));

  substitute(documents, { variables: { V: 'a'.repeat(MIB) } }, errors);

  assert.deepEqual(
    errors.map(({ code, message, where }) => [code, message, where?.line]),
    [['SubstitutionInvalid', 'all texts with variables together have more than 64 MiB', 65]],
  );
});

test('a hostile pattern, value or nesting takes no longer than its share', () => {
  const variables = { V: 'a'.repeat(MIB), W: 'a'.repeat(10_000), STARS: `${'*a'.repeat(400)}b` };
  const texts = [
    `\${W##\${STARS}}`,
    `\${W%%\${STARS}}`,
    `\${V##*aaaaab}`.repeat(1000),
    `\${#V}`.repeat(100_000),
    `\${V//aaaab/}`.repeat(1000),
    `\${A:-`.repeat(100_000),
    `\${A`.repeat(100_000),
    '${'.repeat(100_000),
    `\${V:0:1}`.repeat(100_000),
    `\${N1}\${N2^^}`.repeat(100_000),
  ];

  const start = performance.now();
  for (const text of texts) run({ args: [text] }, { variables, strict: true });

  assert.ok(performance.now() - start < 10_000, 'the time grows faster than the text');
});

test('no more errors are collected than a renderer shows', () => {
  const names = Array.from({ length: 100 }, (_, index) => `\${N${index}}`);

  assert.equal(problems(names.join(''), {}, true).length, 20);
  assert.equal(run({ x: names.map((name) => `${name}\${`) }, { variables: {}, strict: true }).errors.length, 20);
});

const word = fc.oneof(fc.string({ unit: fc.constantFrom(...`ab\${}$:-=/#%^,*?[]\\ {3`), maxLength: 12 }), fc.string());
const expression = fc
  .tuple(fc.constantFrom('', '#'), fc.constantFrom('A', 'B', 'C', '1'), word)
  .map(([length, name, rest]) => `\${${length}${name}${rest}}`);
const text = fc.array(fc.oneof(word, expression), { maxLength: 4 }).map((parts) => parts.join(''));
const variables = fc.record({ A: word, B: word, C: text }, { requiredKeys: [] });
const { json } = fc.letrec((tie) => ({
  json: fc.oneof(
    { depthSize: 'small' },
    text,
    fc.constantFrom<Json>(null, true, 3),
    fc.array(tie('json'), { maxLength: 3 }),
    fc.dictionary(fc.oneof(word, text, fc.constantFrom('env', 'data', 'labels', 'args')), tie('json'), { maxKeys: 3 }),
  ),
}));
const object = fc.dictionary(text, json as fc.Arbitrary<Json>, { maxKeys: 4, noNullPrototype: true });

test('what holds no dollar sign is the very same documents', () => {
  const withoutDollars = object
    .map((value) => JSON.stringify(value).replaceAll('$', ''))
    .map((json) => JSON.parse(json));

  fc.assert(
    fc.property(fc.array(withoutDollars, { maxLength: 3 }), variables, (values, set) => {
      const documents = values.map((value) => at(value as JsonObject));

      return substitute(documents, { variables: set, strict: true }, []) === documents;
    }),
    { seed: 1 },
  );
});

test('only documents that change are new ones', () => {
  const documents = [at({ a: { b: ['c', '$d'] } }), at({ a: `\${V}`, b: { c: 'd' } })];

  const [first, second] = substitute(documents, { variables: { V: 'v' } }, []);

  assert.equal(first, documents[0]);
  assert.equal(second?.value['b'], documents[1]?.value['b']);
  assert.deepEqual(documents[1]?.value['a'], `\${V}`);
});

test('whatever the variables are, no field and no item comes or goes', () => {
  fc.assert(
    fc.property(object, variables, fc.boolean(), (value, set, strict) => {
      assert.deepEqual(shape(run(value, { variables: set, strict }).value), shape(value));
    }),
    { seed: 1, numRuns: 500 },
  );
});

/** How many fields and items there are where; keys are left out, as they may change. */
function shape(value: Json | undefined): Json {
  if (isJsonArray(value)) return value.map(shape);
  if (!isJsonObject(value)) return 'scalar';
  const fields = Object.values(value).map((field) => JSON.stringify(shape(field)));
  return { fields: fields.toSorted() };
}

test('any text ends soon, gives text or a refusal, and shows nothing of a value', () => {
  fc.assert(
    fc.property(text, (input) => {
      const { errors } = run({ args: [input] }, { variables: { A: 'QQQ', B: 'QQQ', C: '9QQQ' }, strict: true });

      return errors.every(
        ({ code, message }) => /^(?:UnsetVariable|SubstitutionInvalid)$/.test(code) && !message.includes('QQQ'),
      );
    }),
    { seed: 1, numRuns: 2000 },
  );
});

test('the shortest and the longest match are those that trying every length finds', () => {
  const pattern = fc.string({ unit: fc.constantFrom(...'ab*?'), maxLength: 6 });
  const value = fc.string({ unit: fc.constantFrom(...'ab'), maxLength: 8 });

  fc.assert(
    fc.property(pattern, value, (glob, whole) => {
      const matches = new RegExp(`^${glob.replaceAll('*', '.*').replaceAll('?', '.')}$`);
      const lengths = Array.from({ length: whole.length + 1 }, (_, length) => length);
      const starts = lengths.filter((length) => matches.test(whole.slice(0, length)));
      const ends = lengths.filter((length) => matches.test(whole.slice(whole.length - length)));
      const trimmed = (operator: string) => replacedText(`\${V${operator}\${P}}`, { V: whole, P: glob });

      assert.equal(trimmed('#'), whole.slice(starts[0] ?? 0));
      assert.equal(trimmed('##'), whole.slice(starts.at(-1) ?? 0));
      assert.equal(trimmed('%'), whole.slice(0, whole.length - (ends[0] ?? 0)));
      assert.equal(trimmed('%%'), whole.slice(0, whole.length - (ends.at(-1) ?? 0)));
    }),
    { seed: 1, numRuns: 500 },
  );
});
