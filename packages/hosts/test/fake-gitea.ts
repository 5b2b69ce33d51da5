import { linked, match, NOT_FOUND, pageOf, type Call, type Dialect, type Reply } from './fake-dialect.ts';
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

const MAX_PAGE = 50;

/** The part of Gitea's and Forgejo's API, version 1, that Plumb speaks. */
export const FAKE_GITEA: Dialect = {
  root: '/api/v1',
  isSignedIn: ({ headers }, { token }) => headers.authorization === `token ${token}`,
  answer(call, state) {
    const repository = `/repos/${state.project}`;
    if (call.path === '/user') {
      if (state.me === null)
        return { status: 403, body: { message: 'token does not have at least one of required scope(s)' } };
      return { status: 200, body: writeUser(state.me) };
    }
    if (!call.path.startsWith(`${repository}/`)) return undefined;
    const below: Call = { ...call, path: call.path.slice(repository.length) };
    return pulls(below, state) ?? comments(below, state) ?? others(below, state);
  },
};

function pulls(call: Call, state: FakeState): Reply | undefined {
  if (match(call, 'GET', /^\/pulls$/)) {
    const isAsked = call.query.get('state') === 'open' && call.query.get('sort') === 'recentupdate';
    return isAsked ? linked(call, state, openPulls(state), 'limit', writePull, MAX_PAGE) : undefined;
  }
  if (match(call, 'POST', /^\/pulls$/)) {
    const { title, body, head, base } = call.body;
    const opened = openPull(state, { title, body, branch: head, base });
    if (opened !== undefined) return { status: 201, body: writePull(opened) };
    return { status: 409, body: { message: 'pull request already exists for these targets' } };
  }
  const [number, rest] = match(call, 'GET', /^\/pulls\/(\d+)(\/files|\/reviews)?$/) ?? [];
  if (number === undefined) return undefined;
  const pull = state.pulls.get(Number(number));
  if (pull === undefined) return NOT_FOUND;
  if (rest === '/files') {
    const write = ({ path, before }: { readonly path: string; readonly before?: string }): object => ({
      filename: path,
      previous_filename: before ?? '',
      status: before === undefined ? 'changed' : 'renamed',
    });
    return linked(call, state, pull.files, 'limit', write, MAX_PAGE);
  }
  if (rest === '/reviews') {
    const requested = { user: null, team: { name: 'owners' }, state: 'REQUEST_REVIEW', dismissed: false };
    const written = pull.reviews.map((review) => ({
      user: writeUser(review.user),
      state: { approved: 'APPROVED', refused: 'REQUEST_CHANGES', commented: 'COMMENT' }[review.verdict],
      commit_id: review.commit,
      dismissed: review.isDismissed === true,
      stale: review.commit !== pull.head,
      submitted_at: review.at,
    }));
    // This list says how many there are, and not where the next page is.
    const all = [requested, ...written];
    const { items } = pageOf(call, state, all, 'limit', MAX_PAGE);
    return { status: 200, body: items, headers: { 'x-total-count': String(all.length) } };
  }
  return { status: 200, body: writePull(pull) };
}

function comments(call: Call, state: FakeState): Reply | undefined {
  const [number] =
    match(call, 'GET', /^\/issues\/(\d+)\/comments$/) ?? match(call, 'POST', /^\/issues\/(\d+)\/comments$/) ?? [];
  const pull = number === undefined ? undefined : state.pulls.get(Number(number));
  if (number !== undefined && pull === undefined) return NOT_FOUND;
  if (pull !== undefined && call.method === 'GET') {
    // All of them at once: this list has no pages.
    const body = pull.comments.map(({ id, body: text, author, at, editedAt }) => ({
      id,
      body: text,
      user: writeUser(author),
      created_at: at,
      updated_at: editedAt,
    }));
    return { status: 200, body, headers: { 'x-total-count': String(body.length + 1) } };
  }
  if (pull !== undefined) {
    return { status: 201, body: { id: addComment(state, pull, state.me ?? PLUMB, call.body.body).id } };
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
    if (!['pending', 'success', 'failure', 'error', 'warning'].includes(status)) return { status: 422, body: {} };
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
  return { status: 200, body: { permission, role_name: permission, user: { login } } };
}

function writeUser({ login, id }: FakeUser): object {
  return { login, id, username: login };
}

function writePull(pull: FakePull): object {
  return {
    number: pull.number,
    title: pull.title,
    state: pull.state === 'open' ? 'open' : 'closed',
    merged: pull.state === 'merged',
    draft: pull.isDraft,
    user: writeUser(pull.author),
    head: { sha: pull.head, ref: pull.branch, repo_id: pull.isFromFork ? 8 : 7 },
    base: { ref: pull.base, repo_id: 7 },
    // With an offset, as Go writes local times.
    updated_at: pull.updatedAt.replace('.000Z', '+00:00'),
    html_url: `https://gitea.example/acme/shop/pulls/${pull.number}`,
  };
}
