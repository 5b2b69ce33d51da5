import { match, NOT_FOUND, pageOf, type Call, type Dialect, type Reply } from './fake-dialect.ts';
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

/** The part of Bitbucket Cloud's API, version 2.0, that Plumb speaks. */
export const FAKE_BITBUCKET: Dialect = {
  root: '/2.0',
  isSignedIn: ({ headers }, { token }) =>
    headers.authorization === `Bearer ${token}` ||
    headers.authorization === `Basic ${Buffer.from(`plumb@example.com:${token}`).toString('base64')}`,
  answer(call, state) {
    if (call.path === '/user') {
      return state.me === null ? { status: 403, body: { type: 'error' } } : { status: 200, body: writeUser(state.me) };
    }
    return permissions(call, state) ?? commits(call, state) ?? pulls(call, state);
  },
};

function permissions(call: Call, state: FakeState): Reply | undefined {
  const [workspace, slug] = state.project.split('/');
  if (call.path !== `/workspaces/${workspace}/permissions/repositories/${slug}`) return undefined;
  const [, uuid] = /^user\.uuid="(.+)"$/.exec(call.query.get('q') ?? '') ?? [];
  const rows = state.users.filter(
    (user) => state.permissions.has(user.login) && (uuid === undefined || user.uuid === uuid),
  );
  return wrapped(
    call,
    state,
    rows,
    (user) => ({ permission: state.permissions.get(user.login), user: writeUser(user) }),
    100,
  );
}

function commits(call: Call, state: FakeState): Reply | undefined {
  const [, short] = match(call, 'GET', /^\/repositories\/([^/]+\/[^/]+)\/commit\/([0-9a-f]{12,40})$/) ?? [];
  if (short !== undefined) {
    const known = [...state.pulls.values()].flatMap(({ head, pushes }) => [head, ...pushes.map((push) => push.commit)]);
    const hash = known.find((commit) => commit.startsWith(short));
    return hash === undefined ? NOT_FOUND : { status: 200, body: { hash } };
  }
  const [project, sha] =
    match(call, 'POST', /^\/repositories\/([^/]+\/[^/]+)\/commit\/([0-9a-f]{40})\/statuses\/build$/) ?? [];
  if (project !== state.project || sha === undefined) return undefined;
  const { key, name, state: status, description, url } = call.body;
  const isValid =
    key.length <= 40 && typeof url === 'string' && ['SUCCESSFUL', 'FAILED', 'INPROGRESS', 'STOPPED'].includes(status);
  if (!isValid) return { status: 400, body: { type: 'error' } };
  // Told apart by the key; the name is what people see.
  setFakeStatus(state, { commit: sha, context: name, state: status, description, url });
  return { status: 201, body: {} };
}

function pulls(call: Call, state: FakeState): Reply | undefined {
  const root = `/repositories/${state.project}`;
  if (call.method === 'GET' && call.path === `${root}/pullrequests`) {
    const isAsked = call.query.get('state') === 'OPEN' && call.query.get('sort') === '-updated_on';
    return isAsked ? wrapped(call, state, openPulls(state), (pull) => writePull(pull, state), 50) : undefined;
  }
  if (call.method === 'POST' && call.path === `${root}/pullrequests`) {
    const { title, description: body, source, destination } = call.body;
    const opened = openPull(state, { title, body, branch: source.branch.name, base: destination.branch.name });
    if (opened !== undefined) return { status: 201, body: writePull(opened, state) };
    return { status: 400, body: { type: 'error', error: { message: 'There are no changes to be pulled' } } };
  }
  const [spec] = match(call, 'GET', /^\/repositories\/[^/]+\/[^/]+\/diffstat\/(\d+)$/) ?? [];
  if (spec !== undefined) {
    return wrapped(
      call,
      state,
      state.pulls.get(Number(spec))?.files ?? [],
      ({ path, before = path }) => ({
        status: path === before ? 'modified' : 'renamed',
        old: { path: before },
        new: { path },
      }),
      500,
    );
  }
  if (!call.path.startsWith(`${root}/pullrequests/`)) return undefined;
  const [, number, rest = '', id] =
    /^\/(\d+)(\/\w+)?(?:\/(\d+))?$/.exec(call.path.slice(`${root}/pullrequests`.length)) ?? [];
  const pull = state.pulls.get(Number(number));
  if (pull === undefined) return NOT_FOUND;
  switch (`${call.method} ${rest}`) {
    case 'GET ':
      return { status: 200, body: { ...writePull(pull, state), participants: participantsOf(pull) } };
    case 'GET /diffstat':
      return { status: 302, body: '', headers: { location: `${call.url.origin}/2.0${root}/diffstat/${number}` } };
    case 'GET /activity':
      return wrapped(call, state, activityOf(pull), (entry) => entry, 50);
    case 'GET /comments':
      return wrapped(
        call,
        state,
        pull.comments,
        (one) => ({
          id: one.id,
          content: { raw: one.body },
          user: writeUser(one.author),
          deleted: one.isDeleted === true,
          created_on: one.at,
          updated_on: one.editedAt,
        }),
        100,
      );
    case 'POST /comments':
      return { status: 201, body: { id: addComment(state, pull, state.me ?? PLUMB, call.body.content.raw).id } };
    case 'PUT /comments': {
      const comment = pull.comments.find((one) => one.id === Number(id) && one.isDeleted !== true);
      if (comment === undefined) return NOT_FOUND;
      comment.body = call.body.content.raw;
      return { status: 200, body: { id: comment.id } };
    }
    default:
      return undefined;
  }
}

function wrapped<T>(call: Call, state: FakeState, all: readonly T[], write: (item: T) => unknown, max: number): Reply {
  const { items, next } = pageOf(call, state, all, 'pagelen', max);
  return { status: 200, body: { values: items.map(write), pagelen: max, ...(next === undefined ? {} : { next }) } };
}

/** Whoever did anything with the pull request. */
function participantsOf(pull: FakePull): readonly object[] {
  const last = new Map(pull.reviews.map((review) => [review.user.uuid, review]));
  for (const review of pull.reviews) {
    if (review.verdict !== 'commented') last.set(review.user.uuid, review);
  }
  return [...last.values()].map((review) => ({
    user: writeUser(review.user),
    approved: review.verdict === 'approved' && review.isDismissed !== true,
  }));
}

/** The newest first. */
function activityOf(pull: FakePull): readonly object[] {
  const updates = pull.pushes.map(({ commit, at }) => ({
    at,
    entry: { update: { date: at, source: { commit: { hash: commit.slice(0, 12) } } } },
  }));
  const approvals = pull.reviews
    .filter(({ verdict }) => verdict === 'approved')
    .map(({ user, at }) => ({ at, entry: { approval: { date: at, user: writeUser(user) } } }));
  return [...updates, ...approvals]
    .toSorted((left, right) => right.at.localeCompare(left.at))
    .map(({ entry }) => entry);
}

function writeUser({ login, uuid }: FakeUser): object {
  return { uuid, nickname: login, display_name: login };
}

function writePull(pull: FakePull, { project }: FakeState): object {
  return {
    id: pull.number,
    title: pull.title,
    state: { open: 'OPEN', merged: 'MERGED', closed: 'DECLINED' }[pull.state],
    draft: pull.isDraft,
    author: writeUser(pull.author),
    source: {
      commit: { hash: pull.head.slice(0, 12) },
      branch: { name: pull.branch },
      repository: { full_name: pull.isFromFork ? 'fork/shop' : project },
    },
    destination: { branch: { name: pull.base }, commit: { hash: '0'.repeat(12) } },
    updated_on: pull.updatedAt.replace('.000Z', '.123456+00:00'),
    links: { html: { href: `https://bitbucket.org/${project}/pull-requests/${pull.number}` } },
  };
}
