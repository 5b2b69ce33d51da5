export interface FakeUser {
  readonly login: string;
  readonly id: number;
  readonly uuid: string;
  readonly isBot?: boolean;
}

export interface FakeFile {
  readonly path: string;
  readonly before?: string;
}

export interface FakePull {
  readonly number: number;
  readonly title: string;
  /** What it says below its title. */
  readonly body: string;
  state: 'open' | 'closed' | 'merged';
  readonly isDraft: boolean;
  readonly author: FakeUser;
  head: string;
  readonly base: string;
  readonly branch: string;
  readonly isFromFork: boolean;
  updatedAt: string;
  readonly files: FakeFile[];
  /** There are more files than the host lists. */
  overflows: boolean;
  readonly comments: FakeComment[];
  readonly reviews: FakeReview[];
  /** The newest commits in turn, for hosts that tell approvals by time. */
  readonly pushes: { readonly commit: string; readonly at: string }[];
}

export interface FakeComment {
  readonly id: number;
  readonly author: FakeUser;
  body: string;
  readonly at: string;
  /** When its text was last changed. */
  editedAt: string;
  isDeleted?: boolean;
}

export interface FakeReview {
  readonly user: FakeUser;
  readonly verdict: 'approved' | 'refused' | 'commented';
  readonly commit: string;
  readonly at: string;
  isDismissed?: boolean;
}

export interface FakeStatus {
  readonly commit: string;
  /** The key that replaces an earlier one. */
  readonly context: string;
  /** The words of the host. */
  readonly state: string;
  readonly description: string;
  readonly url: string | undefined;
}

/** What a host knows of one repository, whatever its dialect. */
export interface FakeState {
  readonly project: string;
  readonly token: string;
  /** Whose the token is; null for a token that may not ask. */
  me: FakeUser | null;
  readonly pulls: Map<number, FakePull>;
  /** The newest commit of each branch of the repository. */
  branches: { get(name: string): string | undefined };
  /** The newest of each commit and context. */
  readonly statuses: FakeStatus[];
  /** By login. */
  readonly permissions: Map<string, 'read' | 'write' | 'admin'>;
  readonly users: FakeUser[];
  readonly reactions: { readonly comment: number; readonly content: string }[];
  /** The most that one page has. */
  pageSize: number;
  nextId: number;
}

export function fakeUser(login: string, id: number, isBot = false): FakeUser {
  return { login, id, uuid: `{00000000-0000-4000-8000-${String(id).padStart(12, '0')}}`, isBot };
}

export const PLUMB = fakeUser('plumb-bot', 1, true);
export const ALICE = fakeUser('alice', 2);
export const BOB = fakeUser('bob', 3);

export function commit(digit: string): string {
  return digit.repeat(40);
}

export function time(minute: number): string {
  return new Date(Date.UTC(2026, 10, 1, 12, minute)).toISOString();
}

export function newState(project: string): FakeState {
  return {
    project,
    token: 'CANARY-token',
    me: PLUMB,
    pulls: new Map(),
    branches: new Map(),
    statuses: [],
    permissions: new Map(),
    users: [PLUMB, ALICE, BOB],
    reactions: [],
    pageSize: 100,
    nextId: 100,
  };
}

export function addPull(state: FakeState, number: number, given: Partial<FakePull> = {}): FakePull {
  const head = given.head ?? commit(String(number % 10));
  const pull: FakePull = {
    number,
    title: `Change ${number}`,
    body: '',
    state: 'open',
    isDraft: false,
    author: ALICE,
    head,
    base: 'main',
    branch: `change-${number}`,
    isFromFork: false,
    updatedAt: time(number),
    files: [],
    overflows: false,
    comments: [],
    reviews: [],
    pushes: [{ commit: head, at: time(0) }],
    ...given,
  };
  state.pulls.set(number, pull);
  return pull;
}

export interface WantedPull {
  readonly title: string;
  readonly body: string;
  readonly branch: string;
  readonly base: string;
}

/** What the account of the token opens; undefined where there is no such branch, or one of these two is open. */
export function openPull(state: FakeState, wanted: WantedPull): FakePull | undefined {
  const head = state.branches.get(wanted.branch);
  const isOpen = openPulls(state).some((pull) => {
    return pull.branch === wanted.branch && pull.base === wanted.base && !pull.isFromFork;
  });
  if (head === undefined || isOpen) return undefined;
  const number = Math.max(0, ...state.pulls.keys()) + 1;
  return addPull(state, number, { ...wanted, head, author: state.me ?? PLUMB });
}

export function addComment(state: FakeState, pull: FakePull, author: FakeUser, body: string): FakeComment {
  const at = new Date(Date.parse(pull.updatedAt) + 1_000).toISOString();
  const comment = { id: state.nextId++, author, body, at, editedAt: at };
  pull.comments.push(comment);
  pull.updatedAt = at;
  return comment;
}

export function setFakeStatus(state: FakeState, status: FakeStatus): void {
  const isSame = (other: FakeStatus): boolean => other.commit === status.commit && other.context === status.context;
  const index = state.statuses.findIndex(isSame);
  if (index >= 0) state.statuses.splice(index, 1);
  state.statuses.push(status);
}

/** The newest first, as all hosts are asked to list them. */
export function openPulls(state: FakeState): readonly FakePull[] {
  return [...state.pulls.values()]
    .filter((pull) => pull.state === 'open')
    .toSorted((left, right) => right.updatedAt.localeCompare(left.updatedAt));
}
