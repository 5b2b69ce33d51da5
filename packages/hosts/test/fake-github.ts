import { linked, match, NOT_FOUND, type Call, type Dialect, type Reply } from './fake-dialect.ts';
import {
  addComment,
  openPull,
  openPulls,
  setFakeStatus,
  type FakePull,
  type FakeState,
  type FakeUser,
} from './fake-state.ts';

/** The part of GitHub's REST API, version 2022-11-28, that Plumb speaks. */
export const FAKE_GITHUB: Dialect = {
  root: '/api/v3',
  isSignedIn: ({ headers }, { token }) => headers.authorization === `Bearer ${token}`,
  answer(call, state) {
    const repository = `/repos/${state.project}`;
    if (call.path === '/user') {
      return state.me === null
        ? { status: 403, body: { message: 'Resource not accessible by integration' } }
        : user(state.me);
    }
    if (!call.path.startsWith(`${repository}/`)) return undefined;
    const below: Call = { ...call, path: call.path.slice(repository.length) };
    return pulls(below, state) ?? comments(below, state) ?? others(below, state);
  },
};

function pulls(call: Call, state: FakeState): Reply | undefined {
  if (match(call, 'GET', /^\/pulls$/)) {
    const isAsked = ['state=open', 'sort=updated', 'direction=desc'].every((part) => call.url.search.includes(part));
    return isAsked ? linked(call, state, openPulls(state), 'per_page', (pull) => writePull(pull, state)) : undefined;
  }
  if (match(call, 'POST', /^\/pulls$/)) {
    const { title, body, head, base } = call.body;
    const opened = openPull(state, { title, body, branch: head, base });
    if (opened !== undefined) return { status: 201, body: writePull(opened, state) };
    return {
      status: 422,
      body: { message: 'Validation Failed', errors: [{ resource: 'PullRequest', field: 'head' }] },
    };
  }
  const [number, rest] = match(call, 'GET', /^\/pulls\/(\d+)(\/files|\/reviews)?$/) ?? [];
  if (number === undefined) return undefined;
  const pull = state.pulls.get(Number(number));
  if (pull === undefined) return NOT_FOUND;
  if (rest === '/files') {
    return linked(call, state, pull.files, 'per_page', ({ path, before }) => ({
      filename: path,
      status: before === undefined ? 'modified' : 'renamed',
      ...(before === undefined ? {} : { previous_filename: before }),
    }));
  }
  if (rest === '/reviews') {
    return linked(call, state, pull.reviews, 'per_page', (review) => ({
      user: writeUser(review.user),
      state:
        review.isDismissed === true
          ? 'DISMISSED'
          : { approved: 'APPROVED', refused: 'CHANGES_REQUESTED', commented: 'COMMENTED' }[review.verdict],
      commit_id: review.commit,
      submitted_at: review.at,
    }));
  }
  return { status: 200, body: writePull(pull, state) };
}

function comments(call: Call, state: FakeState): Reply | undefined {
  const [number] =
    match(call, 'GET', /^\/issues\/(\d+)\/comments$/) ?? match(call, 'POST', /^\/issues\/(\d+)\/comments$/) ?? [];
  const pull = number === undefined ? undefined : state.pulls.get(Number(number));
  if (number !== undefined && pull === undefined) return NOT_FOUND;
  if (pull !== undefined && call.method === 'GET') {
    return linked(call, state, pull.comments, 'per_page', (comment) => ({
      id: comment.id,
      body: comment.body,
      user: writeUser(comment.author),
      created_at: comment.at,
      updated_at: comment.editedAt,
    }));
  }
  if (pull !== undefined) {
    if (String(call.body.body).length > 65_536) return { status: 422, body: { message: 'Validation Failed' } };
    return { status: 201, body: { id: addComment(state, pull, state.me ?? APP, call.body.body).id } };
  }
  const [id] = match(call, 'PATCH', /^\/issues\/comments\/(\d+)$/) ?? [];
  if (id === undefined) return undefined;
  const comment = [...state.pulls.values()].flatMap((one) => one.comments).find((one) => one.id === Number(id));
  if (comment === undefined) return NOT_FOUND;
  comment.body = call.body.body;
  return { status: 200, body: { id: comment.id } };
}

function others(call: Call, state: FakeState): Reply | undefined {
  const [sha] = match(call, 'POST', /^\/statuses\/([0-9a-f]{40})$/) ?? [];
  if (sha !== undefined) {
    const { context, state: status, description, target_url: url } = call.body;
    if (description.length > 140 || !['pending', 'success', 'failure', 'error'].includes(status)) {
      return { status: 422, body: { message: 'Validation Failed' } };
    }
    setFakeStatus(state, { commit: sha, context, state: status, description, url });
    return { status: 201, body: {} };
  }
  const [comment] = match(call, 'POST', /^\/issues\/comments\/(\d+)\/reactions$/) ?? [];
  if (comment !== undefined) {
    state.reactions.push({ comment: Number(comment), content: call.body.content });
    return { status: 201, body: {} };
  }
  const [login] = match(call, 'GET', /^\/collaborators\/([^/]+)\/permission$/) ?? [];
  if (login === undefined) return undefined;
  if (!state.users.some((known) => known.login === login)) return NOT_FOUND;
  const permission = state.permissions.get(login) ?? 'none';
  return { status: 200, body: { permission, role_name: permission } };
}

/** What an installation of an app writes as. */
const APP: FakeUser = { login: 'plumb[bot]', id: 900, uuid: '', isBot: true };

function user(me: FakeUser): Reply {
  return { status: 200, body: writeUser(me) };
}

function writeUser({ login, id, isBot }: FakeUser): object {
  return { login, id, type: isBot === true ? 'Bot' : 'User' };
}

function writePull(pull: FakePull, { project }: FakeState): object {
  return {
    number: pull.number,
    title: pull.title,
    state: pull.state === 'open' ? 'open' : 'closed',
    merged_at: pull.state === 'merged' ? pull.updatedAt : null,
    draft: pull.isDraft,
    user: writeUser(pull.author),
    head: { sha: pull.head, ref: pull.branch, repo: { full_name: pull.isFromFork ? 'fork/shop' : project } },
    base: { ref: pull.base, repo: { full_name: project } },
    updated_at: pull.updatedAt,
    html_url: `https://github.example/${project}/pull/${pull.number}`,
  };
}
