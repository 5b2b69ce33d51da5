/**
 * `node tools/run.mjs tools/kind-types.ts` writes the table of the fields of the built-in kinds anew, from the Go
 * declarations of the Kubernetes version that the embedded control plane is built of. To be run when that version
 * changes; what the table is for is held against that API server by packages/cli/src/object-diff.cluster.test.ts.
 */
import { execFile } from 'node:child_process';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';

const root = join(import.meta.dirname, '..');
const TARGET = join(root, 'packages/core/src/offline-diff/kind-types.ts');

/** Beside k8s.io/api itself. */
const OTHER_PACKAGES: readonly (readonly [module: string, folder: string])[] = [
  ['k8s.io/apimachinery', 'pkg/apis/meta/v1'],
  ['k8s.io/apiextensions-apiserver', 'pkg/apis/apiextensions/v1'],
  ['k8s.io/kube-aggregator', 'pkg/apis/apiregistration/v1'],
];
const KUBERNETES_MODULE = 'k8s.io/api';

/** Groups of requests: nothing of them is ever stored. */
const NOT_STORED = new Set(['admission', 'apidiscovery', 'authentication', 'authorization', 'imagepolicy', 'events']);
const NOT_STORED_KINDS = new Set(['Binding', 'PodStatusResult', 'RangeAllocation', 'SerializedReference', 'Event']);

/** Types with a form of their own in JSON. */
const LEAVES: Readonly<Record<string, string>> = {
  bool: 'b',
  float64: 'n',
  int: 'i',
  int32: 'i',
  int64: 'i',
  string: 's',
  'intstr.IntOrString': 'x',
  'resource.Quantity': 'q',
  'meta/v1.Duration': 's',
  'meta/v1.FieldsV1': 'j',
  'meta/v1.MicroTime': 't',
  'meta/v1.Time': 't',
  'runtime.RawExtension': 'j',
  'types.NodeName': 's',
  'types.UID': 's',
  'apiextensions/v1.JSON': 'j',
  'apiextensions/v1.JSONSchemaPropsOrArray': 'j',
  'apiextensions/v1.JSONSchemaPropsOrBool': 'j',
  'apiextensions/v1.JSONSchemaPropsOrStringArray': 'j',
};

interface Declaration {
  readonly package: string;
  readonly markers: ReadonlyMap<string, readonly string[]>;
  /** The right side, where it is no struct. */
  readonly alias?: string;
  readonly fields?: readonly Field[];
}

interface Field {
  readonly type: string;
  /** Empty where the fields of its type stand in its place. */
  readonly json: string;
  readonly isOptional: boolean;
  readonly markers: ReadonlyMap<string, readonly string[]>;
  readonly tag: string;
}

async function moduleFolder(module: string): Promise<string> {
  const cwd = join(root, 'native/controlplane');
  const { stdout } = await promisify(execFile)('go', ['list', '-m', '-f', '{{.Dir}}', module], { cwd });
  return stdout.trim();
}

async function packageFolders(): Promise<readonly string[]> {
  const api = await moduleFolder(KUBERNETES_MODULE);
  const folders: string[] = [];
  for (const group of (await readdir(api, { withFileTypes: true })).filter((entry) => entry.isDirectory())) {
    if (NOT_STORED.has(group.name)) continue;
    for (const version of await readdir(join(api, group.name))) {
      if (/^v\d/.test(version)) folders.push(join(api, group.name, version));
    }
  }
  for (const [module, folder] of OTHER_PACKAGES) folders.push(join(await moduleFolder(module), folder));
  return folders;
}

function packageName(folder: string): string {
  return `${basename(dirname(folder))}/${basename(folder)}`;
}

async function goFiles(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder);
  const chosen = names.filter((name) => name.endsWith('.go') && !/_test\.go$|^zz_|generated|doc\.go/.test(name));
  return await Promise.all(chosen.map((name) => readFile(join(folder, name), 'utf8')));
}

function readDeclarations(text: string, name: string): ReadonlyMap<string, Declaration> {
  const imports = new Map<string, string>();
  for (const [, alias, path = ''] of text.matchAll(/^\s*(\w+)?\s*"(k8s\.io\/[^"]+)"$/gm)) {
    const short = path.split('/').slice(-2).join('/');
    imports.set(alias ?? basename(path), /\/v\d\w*$/.test(short) ? short : basename(path));
  }
  const resolve = (type: string): string =>
    type.replaceAll(/\b([a-zA-Z]\w*)(\.(\w+))?/g, (whole: string, first: string, _dot: string, second?: string) => {
      if (second !== undefined) return `${imports.get(first) ?? first}.${second}`;
      return whole === 'map' || whole in LEAVES || whole === 'byte' ? whole : `${name}.${whole}`;
    });

  const found = new Map<string, Declaration>();
  let markers = new Map<string, string[]>();
  let open: { readonly name: string; readonly markers: Map<string, string[]>; readonly fields: Field[] } | undefined;
  for (const line of text.split('\n')) {
    const marker = /^\s*\/\/ ?\+([\w:]+)(?:=(.*))?$/.exec(line);
    if (marker?.[1] !== undefined) {
      markers.set(marker[1], [...(markers.get(marker[1]) ?? []), marker[2] ?? '']);
      continue;
    }
    if (/^\s*\/\//.test(line)) continue;
    if (open === undefined) {
      const begin = /^type (\w+) struct ?\{(\})?/.exec(line);
      const alias = /^type (\w+) ([^{]+)$/.exec(line);
      if (begin?.[1] !== undefined) {
        open = { name: begin[1], markers, fields: [] };
        if (begin[2] !== undefined) open = close(open);
      } else if (alias?.[1] !== undefined) {
        const right = (alias[2] ?? '').replace(/\/\/.*/, '').trim();
        found.set(`${name}.${alias[1]}`, { package: name, markers, alias: resolve(right) });
      }
      // The markers of a type may stand apart from its comment.
      if (line.trim() !== '') markers = new Map();
      continue;
    }
    if (line === '}') {
      open = close(open);
      continue;
    }
    const field = /^\s*(\w+\s+)?([*[\]\w.]+(?:\[[\w.]+\][*\w.[\]]+)?)\s+`(.*)`/.exec(line);
    if (field !== null) {
      const tag = field[3] ?? '';
      const [json = '', ...options] = (/json:"([^"]*)"/.exec(tag)?.[1] ?? '').split(',');
      const isOptional = options.includes('omitempty') || options.includes('omitzero');
      if (json !== '-') open.fields.push({ type: resolve(field[2] ?? ''), json, isOptional, markers, tag });
    }
    markers = new Map();
  }
  return found;

  function close(done: NonNullable<typeof open>): undefined {
    found.set(`${name}.${done.name}`, { package: name, markers: done.markers, fields: done.fields });
    markers = new Map();
  }
}

class Table {
  readonly #declarations: ReadonlyMap<string, Declaration>;
  readonly #lines = new Map<string, string>();

  constructor(declarations: ReadonlyMap<string, Declaration>) {
    this.#declarations = declarations;
  }

  lines(): readonly string[] {
    return [...this.#lines.entries()].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, line]) => line);
  }

  add(name: string): void {
    if (this.#lines.has(name)) return;
    this.#lines.set(name, '');
    const fields = this.#fieldsOf(name).map((field) => `${field.json}:${this.#codeOf(field)}`);
    this.#lines.set(name, [name, ...fields].join(' '));
  }

  #fieldsOf(name: string): readonly Field[] {
    const fields = this.#declarations.get(name)?.fields;
    if (fields === undefined) throw new Error(`${name} is no struct`);
    const isRoot = fields.some(({ type }) => type === 'meta/v1.TypeMeta');
    return fields.flatMap((field) => {
      if (field.type === 'meta/v1.TypeMeta') return [];
      // Never compared, and a third of all fields.
      if (isRoot && field.json === 'status') return [];
      if (field.json === '') return this.#fieldsOf(field.type.replace('*', ''));
      return [field];
    });
  }

  #codeOf(field: Field): string {
    const code = this.#typeCode(field.type, field);
    const [given] = field.markers.get('default') ?? [];
    const isValue = given !== undefined && !given.startsWith('ref(');
    const presence = field.isOptional || field.type.startsWith('*') ? '' : '!';
    return presence + code + (isValue ? `=${given}` : '');
  }

  #typeCode(type: string, field: Field | undefined): string {
    if (type.startsWith('*')) return `*${this.#typeCode(type.slice(1), field)}`;
    if (type === '[]byte') return 'y';
    if (type.startsWith('[]')) return this.#listCode(type.slice(2), field);
    const map = /^map\[[^\]]+\](.*)$/.exec(type);
    if (map !== null)
      return `${field?.markers.get('mapType')?.[0] === 'atomic' ? '^' : ''}<${this.#typeCode(map[1] ?? '', undefined)}`;
    if (LEAVES[type] !== undefined) return LEAVES[type];
    const declared = this.#declarations.get(type);
    if (declared === undefined) throw new Error(`nothing is known of ${type}`);
    if (declared.alias !== undefined) return this.#typeCode(declared.alias, field);
    this.add(type);
    // What the field says comes before what its type says.
    const relation = field?.markers.get('structType')?.[0] ?? declared.markers.get('structType')?.[0];
    return (relation === 'atomic' ? '^' : '') + type;
  }

  /** A list without a type of its own is merged as a strategic patch would, as kube-openapi has it. */
  #listCode(item: string, field: Field | undefined): string {
    const code = this.#typeCode(item, undefined);
    const kind = field?.markers.get('listType')?.[0];
    const keys = field?.markers.get('listMapKey');
    if (kind === 'map' && keys !== undefined) return `(${keys.join(',')})${code}`;
    if (kind === 'set') return `{${code}`;
    if (kind === 'atomic') return `[${code}`;
    const strategy = /patchStrategy:"([^"]*)"/.exec(field?.tag ?? '')?.[1] ?? '';
    const key = /patchMergeKey:"([^"]*)"/.exec(field?.tag ?? '')?.[1];
    if (!strategy.startsWith('merge')) return `[${code}`;
    return key === undefined ? `{${code}` : `(${key})${code}`;
  }
}

const declarations = new Map<string, Declaration>();
const groups = new Map<string, string>();
for (const folder of await packageFolders()) {
  const name = packageName(folder);
  for (const text of await goFiles(folder)) {
    const group = /^const GroupName = "(.*)"/m.exec(text)?.[1];
    if (group !== undefined) groups.set(name, group);
    for (const [type, declaration] of readDeclarations(text, name)) declarations.set(type, declaration);
  }
}

const table = new Table(declarations);
const kinds: string[] = [];
for (const [type, { package: name, fields, markers }] of declarations) {
  if (!/\/v\d+$/.test(name)) continue;
  const kind = type.slice(name.length + 1);
  const has = (wanted: string): boolean => fields?.some((field) => field.type === wanted) ?? false;
  if (!has('meta/v1.TypeMeta') || !has('meta/v1.ObjectMeta') || NOT_STORED_KINDS.has(kind)) continue;
  if (!markers.has('genclient') && name !== 'apiregistration/v1') continue;
  const group = groups.get(name) ?? '';
  const apiVersion = group === '' ? basename(name) : `${group}/${basename(name)}`;
  table.add(type);
  kinds.push(`${apiVersion} ${kind} ${type}${markers.has('genclient:nonNamespaced') ? ' cluster' : ''}`);
}

const version = basename(await moduleFolder(KUBERNETES_MODULE)).replace(/^.*@v0\./, '1.');
await writeFile(
  TARGET,
  `// Made by tools/kind-types.ts from the declarations of Kubernetes ${version}: do not change it here.

/** One built-in kind a line: apiVersion, kind, type, and \`cluster\` where it has no namespace. */
export const KIND_LINES = \`
${kinds.toSorted().join('\n')}
\`;

/**
 * One type a line: its name, then its fields as \`name:code\`. A code is \`s\` text, \`i\` whole number, \`n\` number, \`b\`
 * yes or no, \`q\` quantity, \`x\` number or text, \`t\` time, \`y\` base64, \`j\` anything, or the name of a type. In front of it:
 * \`*\` nothing and zero differ, \`!\` is always written, \`[\` list as one value, \`{\` set, \`(a,b)\` list by these keys, \`<\` map,
 * \`^\` map as one value. Behind it \`=\` and the default, where the declaration has one.
 */
export const TYPE_LINES = \`
${table.lines().join('\n')}
\`;
`,
);
