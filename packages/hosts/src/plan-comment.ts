import {
  formatAdmissionDenial,
  formatChanges,
  formatWhere,
  type AdmissionDenial,
  type FieldChange,
  type Where,
} from '@plumb/core';
import { findingCounts, findingText, type CommentedFinding } from './commented-policies.ts';
import type { HostLimits } from './host.ts';
import { fenceFor, plainLine, plainLink, plainName } from './markdown-text.ts';
import { cut } from './status-text.ts';

/** One object of a plan. Values of Secrets are masked already. */
export interface CommentedItem {
  readonly action: 'delete' | 'replace' | 'change' | 'adopt' | 'create' | 'blocked';
  readonly kind: string;
  readonly name: string;
  /** Empty for objects of the cluster. */
  readonly namespace?: string;
  readonly reason?: string;
  readonly file?: string;
  readonly line?: number;
  readonly changes?: readonly (FieldChange & { readonly place?: Where })[];
  /** The API server could not be asked yet. */
  readonly predicted?: boolean;
  readonly forcedBy?: string;
  /** What is lost, where it takes an approval. */
  readonly needsApproval?: string;
  readonly error?: { readonly message: string; readonly fix: string };
  /** The policy of the cluster that refuses it, where it was one. */
  readonly deniedBy?: AdmissionDenial;
}

/** The plan of one target, as `plumb plan -o json` has it; or why there is none. */
export type CommentedPlan = {
  readonly namespace?: string;
  readonly app: string;
  readonly env?: string;
} & (
  | {
      readonly targetNamespace: string;
      readonly digest: string;
      readonly counts: Readonly<Record<CommentedItem['action'] | 'unchanged', number>>;
      readonly notes: readonly string[];
      readonly items: readonly CommentedItem[];
      /** What policies of the application say against it. */
      readonly findings?: readonly CommentedFinding[];
      readonly blockedDeletions?: { readonly digest: string; readonly reason: string };
      /** Where people read all of it, or the id that `plumb plan show` takes. */
      readonly link?: string;
      readonly id?: string;
    }
  | {
      readonly errors: readonly {
        readonly code: string;
        readonly message: string;
        readonly fix: string;
        readonly file?: string;
        readonly line?: number;
      }[];
    }
);

export interface PlanCommentOptions {
  /** Those of the host. At least 2,000 characters, so that the frame has room. */
  readonly limits: HostLimits;
  /** As `stickyMarker` makes it; it is the last line. */
  readonly marker: string;
  /** What was planned, for people: a commit. */
  readonly label: string;
  /** Where people read the whole of it. */
  readonly link?: string;
}

/** In the order in which people have to see them: what is lost comes first. */
const ACTIONS = {
  delete: { sign: '-', words: 'to delete', isLoss: true },
  replace: { sign: '!', words: 'to replace', isLoss: true },
  blocked: { sign: '!', words: 'refused', isLoss: false },
  change: { sign: '!', words: 'to change', isLoss: false },
  adopt: { sign: '+', words: 'to adopt', isLoss: false },
  create: { sign: '+', words: 'to create', isLoss: false },
} as const;
const ORDER = Object.keys(ACTIONS) as (keyof typeof ACTIONS)[];

const MAX_LINE_CHARS = 300;
const MAX_DETAILS = 12;
const MAX_NOTES = 10;
const MAX_ERRORS = 20;

/**
 * The text of the one comment on a pull request: counts, then each target folded (open where something is lost or refused),
 * what is lost first. Whatever names, values and messages hold stands in blocks of code or is reduced to plain names, so
 * that nothing in it is Markdown, HTML, a mention or a link.
 *
 * Where the host's limit is met it ends between two objects, in each target alike: what is lost of all targets has room
 * before what is changed of any. How much is left out is said, and where to read it.
 */
export function planComment(plans: readonly CommentedPlan[], options: PlanCommentOptions): string {
  const sections = plans.map((plan) => sectionOf(plan, options));
  const head = headOf(plans, options);
  const tail = `\n${options.marker}\n`;
  const budget = options.limits.commentChars - head.length - tail.length;
  const kept = sectionsWithin(sections, budget - moreTargets(sections.length).length);
  const left = sections.length - kept.length;
  const more = left === 0 ? '' : moreTargets(left);
  return head + fill(kept, budget - more.length) + more + tail;
}

/** What a target takes at least, and what it shows beyond that as far as there is room. */
interface Section {
  readonly index: number;
  readonly isLoss: boolean;
  /** Everything but the blocks. */
  readonly before: string;
  readonly after: string;
  /** Each ends with a line end. In the order of importance. */
  readonly blocks: readonly Block[];
  /** What is said of the blocks that are left out. */
  readonly more: (left: number) => string;
  readonly fence: string;
}

interface Block {
  readonly text: string;
  /** Blocks of a lower rank have room before those of a higher one, in whichever target. */
  readonly rank: number;
}

function sectionOf(plan: CommentedPlan, options: PlanCommentOptions, index = 0): Section {
  const isPlanned = 'items' in plan;
  const findings = findingsOf(plan);
  const blocks = isPlanned
    ? [...findings.map(findingBlock), ...plan.items.map((item) => blockOf(item, plan))]
    : plan.errors.map(errorBlock);
  const sorted = blocks.toSorted((left, right) => left.rank - right.rank).slice(0, isPlanned ? undefined : MAX_ERRORS);
  const isLoss =
    !isPlanned ||
    findings.some(({ severity }) => severity === 'deny') ||
    plan.items.some(({ action }) => ACTIONS[action].isLoss || action === 'blocked');
  const title = code(titleOf(plan), options, true);
  const counts = isPlanned ? [...findingCounts(findings), countsText(plan.counts)].join(', ') : 'cannot be planned';
  const facts = isPlanned
    ? `digest ${code(plan.digest, options)}, namespace ${code(plan.targetNamespace, options)}`
    : '';
  const notes = isPlanned ? notesOf(plan) : [];
  const { canFold } = options.limits;
  const before = canFold
    ? `<details${isLoss ? ' open' : ''}><summary>${title}: ${counts}</summary>\n\n`
    : `\n${title}: ${counts}\n\n`;
  const foot = facts === '' ? '' : `${facts}\n\n`;
  return {
    index,
    isLoss,
    before,
    after: `${fenced(notes, '')}${foot}${canFold ? '</details>\n' : ''}`,
    blocks: sorted,
    more: (left) => `${left} more: ${whereToRead(plan, options)}\n\n`,
    fence: fenceFor(sorted.map(({ text }) => text)),
  };
}

function findingsOf(plan: CommentedPlan): readonly CommentedFinding[] {
  return 'items' in plan ? (plan.findings ?? []) : [];
}

/** What is denied comes before all else, since nothing is done until it is mended; warnings come last. */
function findingBlock(finding: CommentedFinding): Block {
  return { text: findingText(finding), rank: finding.severity === 'deny' ? -1 : ORDER.length };
}

/** As many targets as can at least be named; those that lose nothing give way first, and the last of them before. */
function sectionsWithin(sections: readonly Section[], budget: number): readonly Section[] {
  const placed = sections.map((section, index) => ({ ...section, index }));
  const byWeight = placed.toSorted((left, right) => Number(right.isLoss) - Number(left.isLoss));
  const kept: Section[] = [];
  let chars = 0;
  for (const section of byWeight) {
    chars += leastOf(section);
    if (chars > budget) break;
    kept.push(section);
  }
  return kept.toSorted((left, right) => left.index - right.index);
}

function leastOf(section: Section): number {
  return textOf(section, []).length + (section.blocks.length === 0 ? 0 : frameOf(section));
}

/** What the first block of a section costs besides itself. */
function frameOf(section: Section): number {
  return fenced(['x'], 'diff', section.fence).length - 'x\n'.length;
}

/** The sections with as many of their blocks as there is room for. */
function fill(sections: readonly Section[], budget: number): string {
  const shown = new Map<Section, Block[]>(sections.map((section) => [section, []]));
  const closed = new Set<Section>();
  let chars = sections.reduce((sum, section) => sum + leastOf(section), 0);
  const ranks = new Set(sections.flatMap(({ blocks }) => blocks.map(({ rank }) => rank)));
  for (const rank of [...ranks].toSorted((left, right) => left - right)) {
    for (const section of sections) {
      for (const block of section.blocks) {
        if (block.rank !== rank || closed.has(section)) continue;
        if (chars + block.text.length > budget) {
          closed.add(section);
        } else {
          chars += block.text.length;
          shown.get(section)?.push(block);
        }
      }
    }
  }
  return sections.map((section) => textOf(section, shown.get(section) ?? [])).join('');
}

function textOf(section: Section, shown: readonly Block[]): string {
  const { before, after, blocks, more, fence } = section;
  const body = fenced(
    shown.map(({ text }) => text.trimEnd()),
    'diff',
    fence,
  );
  const left = blocks.length - shown.length;
  return `${before}${body}${left === 0 ? '' : more(left)}${after}`;
}

function fenced(lines: readonly string[], language: string, fence = fenceFor(lines)): string {
  return lines.length === 0 ? '' : `${fence}${language}\n${lines.join('\n')}\n${fence}\n\n`;
}

function headOf(plans: readonly CommentedPlan[], options: PlanCommentOptions): string {
  const link = plainLink(options.link);
  const label = code(options.label, options);
  const title = `### Plumb: plan of ${label}\n\n`;
  const sum = { delete: 0, replace: 0, blocked: 0, change: 0, adopt: 0, create: 0, unchanged: 0 };
  for (const plan of plans) {
    if (!('counts' in plan)) continue;
    for (const name of [...ORDER, 'unchanged'] as const) sum[name] += plan.counts[name];
  }
  const failed = plans.filter((plan) => 'errors' in plan).length;
  const targets = plans.length === 1 ? '1 target' : `${plans.length} targets`;
  const found = findingCounts(plans.flatMap(findingsOf));
  const counts = `**${[...found, countsText(sum)].join(', ')}** in ${targets}${failed === 0 ? '' : `, **${failed} cannot be planned**`}.`;
  const none = 'No application reads what this pull request changes.';
  return `${title}${plans.length === 0 ? none : counts}${link === undefined ? '' : ` [All of it](${link})`}\n\n`;
}

function moreTargets(count: number): string {
  return `\n${count} more ${count === 1 ? 'target has' : 'targets have'} no room here.\n`;
}

/** As in `1 to delete, 2 to change, 36 unchanged`. */
function countsText(counts: Readonly<Record<CommentedItem['action'] | 'unchanged', number>>): string {
  const some = ORDER.filter((action) => counts[action] > 0).map(
    (action) => `${counts[action]} ${ACTIONS[action].words}`,
  );
  return [...some, `${counts.unchanged} unchanged`].join(', ');
}

function titleOf({ app, env }: CommentedPlan): string {
  return env === undefined ? plainName(app) : `${plainName(app)} → ${plainName(env)}`;
}

function whereToRead(plan: CommentedPlan, options: PlanCommentOptions): string {
  const link = plainLink(('link' in plan ? plan.link : undefined) ?? options.link);
  if (link !== undefined) return `[read them](${link})`;
  const id = 'id' in plan ? plan.id : undefined;
  if (id !== undefined) return code(`plumb plan show ${plainName(id)}`, options, true);
  const namespace = plan.namespace === undefined ? '' : ` -n ${plainName(plan.namespace)}`;
  const environment = plan.env === undefined ? '' : ` -e ${plainName(plan.env)}`;
  return code(`plumb plan ${plainName(plan.app)}${namespace}${environment}`, options, true);
}

/** @param isPlain it was made of plain names already */
function code(text: string, { limits }: PlanCommentOptions, isPlain = false): string {
  const plain = isPlain ? text : plainName(text);
  return limits.canFold ? `<code>${plain}</code>` : `\`${plain}\``;
}

function notesOf(plan: Extract<CommentedPlan, { readonly items: unknown }>): readonly string[] {
  const lines = plan.notes.slice(0, MAX_NOTES).map((note) => inLine(`note: ${note}`));
  const { blockedDeletions } = plan;
  if (blockedDeletions === undefined) return lines;
  return [
    inLine(`Nothing is deleted: ${blockedDeletions.reason}`),
    `approve exactly this set of deletions: ${plainName(blockedDeletions.digest)}`,
    ...lines,
  ];
}

function blockOf(item: CommentedItem, plan: Extract<CommentedPlan, { readonly items: unknown }>): Block {
  const { action, kind, name, namespace, file, line } = item;
  const isElsewhere = namespace !== undefined && namespace !== '' && namespace !== plan.targetNamespace;
  const where = file === undefined ? '' : `   ${placeText({ file, ...(line === undefined ? {} : { line }) })}`;
  const title = inLine(`${kind}/${name}${isElsewhere ? ` (${namespace})` : ''}`);
  const details = detailsOf(item, plan);
  const shown = details.slice(0, MAX_DETAILS);
  const rest = details.length === shown.length ? [] : [`and ${details.length - shown.length} more`];
  const head = cut(`${ACTIONS[action].sign} ${action.padEnd(8)} ${title}${where}`, MAX_LINE_CHARS);
  const lines = [head, ...[...shown, ...rest].map((detail) => `    ${cut(detail, MAX_LINE_CHARS)}`)];
  return { text: `${lines.join('\n')}\n`, rank: ORDER.indexOf(action) };
}

function detailsOf(item: CommentedItem, plan: Extract<CommentedPlan, { readonly items: unknown }>): readonly string[] {
  const { action, reason, changes = [], predicted, forcedBy, needsApproval, error, deniedBy } = item;
  if (error !== undefined)
    return [
      inLine(deniedBy === undefined ? error.message : formatAdmissionDenial(deniedBy)),
      inLine(`fix: ${error.fix}`),
    ];
  switch (action) {
    case 'delete':
      return [plan.blockedDeletions === undefined ? 'not in Git any more' : 'needs an approval'];
    case 'replace':
      return [
        inLine(`deleted and made anew: ${forcedBy ?? 'a field'} cannot be changed`),
        ...(needsApproval === undefined ? [] : [inLine(`needs an approval: ${needsApproval}`)]),
      ];
    case 'create':
      return predicted === true ? ['its namespace or kind comes first'] : [];
    default: {
      const reasons = action === 'adopt' ? ['is there already, and not managed'] : [];
      return [...reasons, ...(reason === 'drifted' ? ['drifted'] : []), ...changeLines(changes, item)];
    }
  }
}

/** Each field in one line, safe to show, with its place where that of the object does not say it already. */
function changeLines(
  changes: readonly (FieldChange & { readonly place?: Where })[],
  { file, line }: CommentedItem,
): readonly string[] {
  const texts = formatChanges(changes);
  return changes.map(({ place }, index) => {
    const isSame = place === undefined || (place.file === file && place.line === line);
    return `${inLine(texts[index] ?? '')}${isSame ? '' : `   ${placeText(place)}`}`;
  });
}

type Failure = Extract<CommentedPlan, { readonly errors: unknown }>['errors'][number];

function errorBlock({ code: name, message, fix, file, line }: Failure): Block {
  const place = file === undefined ? '' : `${formatWhere({ file, ...(line === undefined ? {} : { line }) })}: `;
  const lines = [`! ${inLine(`${place}${message} (${name})`)}`, `    ${inLine(`fix: ${fix}`)}`];
  return { text: `${lines.join('\n')}\n`, rank: 0 };
}

function placeText(place: Where): string {
  return inLine(formatWhere(place));
}

/** Text from outside, as a part of one line. */
function inLine(text: string): string {
  return cut(plainLine(text), MAX_LINE_CHARS);
}
