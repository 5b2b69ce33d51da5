import { linked, match, NOT_FOUND, type Call, type Dialect, type Reply } from './fake-dialect.ts';
import {
  addComment,
  openPull,
  openPulls,
  PLUMB,
  setFakeStatus,
  type FakePull,
  type FakeState,
  type FakeUser,
} from './fake-state.ts';

const LEVELS = { read: 20, write: 30, admin: 40 };

/** The part of GitLab's REST API, version 4, that Plumb speaks. */
export const FAKE_GITLAB: Dialect = {
  root: '/api/v4',
  isSignedIn: ({ headers }, { token }) => headers['private-token'] === token,
  answer(call, state) {
    const repository = `/projects/${encodeURIComponent(state.project)}`;
    if (call.path === '/user') {
      return state.me === null
        ? { status: 403, body: { error: 'insufficient_scope' } }
        : { status: 200, body: writeUser(state.me) };
    }
    if (!call.path.startsWith(`${repository}/`)) return undefined;
    const below: Call = { ...call, path: call.path.slice(repository.length) };
    return mergeRequests(below, state) ?? notes(below, state) ?? others(below, state);
  },
};

function mergeRequests(call: Call, state: FakeState): Reply | undefined {
  if (match(call, 'GET', /^\/merge_requests$/)) {
    const isAsked = ['state=opened', 'order_by=updated_at', 'sort=desc'].every((part) =>
      call.url.search.includes(part),
    );
    return isAsked ? linked(call, state, openPulls(state), 'per_page', (pull) => writePull(pull)) : undefined;
  }
  if (match(call, 'POST', /^\/merge_requests$/)) {
    const { title, description: body, source_branch: branch, target_branch: base } = call.body;
    const opened = openPull(state, { title, body, branch, base });
    // Its commit is looked up afterwards.
    if (opened !== undefined) return { status: 201, body: { ...writePull(opened), sha: null } };
    return { status: 409, body: { message: ['Another open merge request already exists for this source branch'] } };
  }
  const [number, rest] = match(call, 'GET', /^\/merge_requests\/(\d+)(\/diffs|\/approvals|\/versions)?$/) ?? [];
  if (number === undefined) return undefined;
  const pull = state.pulls.get(Number(number));
  if (pull === undefined) return NOT_FOUND;
  switch (rest) {
    case '/diffs':
      return linked(call, state, pull.files, 'per_page', ({ path, before = path }) => ({
        new_path: path,
        old_path: before,
        renamed_file: path !== before,
      }));
    case '/approvals': {
      // Only approvals that stand are listed, without the commit.
      const last = new Map(
        pull.reviews.filter(({ verdict }) => verdict !== 'commented').map((review) => [review.user.id, review]),
      );
      const standing = [...last.values()].filter(
        (review) => review.verdict === 'approved' && review.isDismissed !== true,
      );
      return {
        status: 200,
        body: { approved_by: standing.map(({ user, at }) => ({ user: writeUser(user), approved_at: at })) },
      };
    }
    case '/versions':
      return linked(call, state, pull.pushes.toReversed(), 'per_page', (push) => ({
        head_commit_sha: push.commit,
        created_at: push.at,
      }));
    default: {
      const count = `${pull.files.length}${pull.overflows ? '+' : ''}`;
      return { status: 200, body: { ...writePull(pull), changes_count: count } };
    }
  }
}

function notes(call: Call, state: FakeState): Reply | undefined {
  const pattern = /^\/merge_requests\/(\d+)\/notes(?:\/(\d+))?(\/award_emoji)?$/;
  const [number, id, emoji] = match({ ...call, method: 'ANY' }, 'ANY', pattern) ?? [];
  if (number === undefined) return undefined;
  const pull = state.pulls.get(Number(number));
  const note = pull?.comments.find((one) => one.id === Number(id));
  if (pull === undefined || (id !== 'undefined' && id !== undefined && note === undefined)) return NOT_FOUND;
  if (call.method === 'GET' && note === undefined) {
    const isOldestFirst = call.query.get('sort') === 'asc' && call.query.get('order_by') === 'created_at';
    const listed = isOldestFirst ? pull.comments : pull.comments.toReversed();
    return linked(call, state, listed, 'per_page', (one) => ({
      id: one.id,
      body: one.body,
      author: writeUser(one.author),
      system: false,
      created_at: one.at,
      updated_at: one.editedAt,
    }));
  }
  if (call.method === 'POST' && note === undefined) {
    return { status: 201, body: { id: addComment(state, pull, state.me ?? PLUMB, call.body.body).id } };
  }
  if (call.method === 'PUT' && note !== undefined) {
    note.body = call.body.body;
    return { status: 200, body: { id: note.id } };
  }
  if (call.method === 'POST' && note !== undefined && emoji === '/award_emoji') {
    const content: string = call.body.name;
    if (state.reactions.some((one) => one.comment === note.id && one.content === content)) {
      return { status: 409, body: { message: 'has already been taken' } };
    }
    state.reactions.push({ comment: note.id, content });
    return { status: 201, body: {} };
  }
  return undefined;
}

function others(call: Call, state: FakeState): Reply | undefined {
  const [sha] = match(call, 'POST', /^\/statuses\/([0-9a-f]{40})$/) ?? [];
  if (sha !== undefined) {
    const { name, state: status, description, target_url: url } = call.body;
    if (!['pending', 'running', 'success', 'failed', 'canceled'].includes(status)) return { status: 400, body: {} };
    const before = state.statuses.find((one) => one.commit === sha && one.context === name);
    if (status === 'pending' && before?.state === 'pending') {
      return { status: 400, body: { message: 'Cannot transition status via :enqueue from :pending' } };
    }
    setFakeStatus(state, { commit: sha, context: name, state: status, description, url });
    return { status: 201, body: {} };
  }
  const [listed] = match(call, 'GET', /^\/repository\/commits\/([0-9a-f]{40})\/statuses$/) ?? [];
  if (listed !== undefined) {
    const found = state.statuses.filter((one) => one.commit === listed && one.context === call.query.get('name'));
    return linked(call, state, found, 'per_page', (one) => ({ name: one.context, status: one.state }));
  }
  const [id] = match(call, 'GET', /^\/members\/all\/(\d+)$/) ?? [];
  if (id === undefined) return undefined;
  const user = state.users.find((known) => known.id === Number(id));
  const permission = state.permissions.get(user?.login ?? '');
  if (user === undefined || permission === undefined) return NOT_FOUND;
  return { status: 200, body: { ...writeUser(user), state: 'active', access_level: LEVELS[permission] } };
}

function writeUser({ login, id }: FakeUser): object {
  return { id, username: login };
}

function writePull(pull: FakePull): object {
  return {
    iid: pull.number,
    title: pull.title,
    state: pull.state === 'open' ? 'opened' : pull.state,
    draft: pull.isDraft,
    author: writeUser(pull.author),
    sha: pull.head,
    source_branch: pull.branch,
    target_branch: pull.base,
    source_project_id: pull.isFromFork ? 8 : 7,
    target_project_id: 7,
    updated_at: pull.updatedAt,
    web_url: `https://gitlab.example/acme/shop/-/merge_requests/${pull.number}`,
  };
}
