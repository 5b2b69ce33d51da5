import { buildCommand, buildRouteMap } from '@stricli/core';
import { HOLD_ENDS, PlumbError, RENDERERS } from '@plumb/core';
import type { CliContext } from './context.ts';
import { duration, everyVerb, everyVerbAliases, someDuration, text, texts, wholeNumber, whether } from './flags.ts';

// What the command line looks like. It loads no verb: each one comes with its first use, so that `--help` is fast.

const namespace = text('Namespace; default the one of the context', 'NS');
const context = text('Context of the kubeconfig; default the running engine, then the current one', 'NAME');
const env = text('Environment', 'ENV');

/** Of a verb that is about what a cluster has; of one that is about an application there. */
const ofCluster = { ...everyVerb, context, namespace } as const;
const ofTarget = { ...ofCluster, env } as const;
const ofClusterAliases = { ...everyVerbAliases, n: 'namespace', o: 'output' } as const;
const ofTargetAliases = { ...ofClusterAliases, e: 'env' } as const;

const oneOf = <T extends string>(...values: readonly [T, ...T[]]) =>
  ({ kind: 'enum', values, default: values[0], brief: 'Format of the result' }) as const;

const pullRequestNumber = (input: string): number => {
  if (!/^[1-9]\d{0,8}$/.test(input)) throw new PlumbError('Usage', 'must be the number of a pull request');
  return Number(input);
};

const application = {
  kind: 'tuple',
  parameters: [{ brief: 'Application: NAME or NAMESPACE/NAME', placeholder: 'APP', parse: String, optional: true }],
} as const;

const name = (what: string) =>
  ({ kind: 'tuple', parameters: [{ brief: what, placeholder: 'NAME', parse: String }] }) as const;

const dryRun = {
  kind: 'enum',
  values: ['client', 'server'],
  optional: true,
  brief: 'Write nothing: print the YAML (client), or let the API server check it too (server)',
} as const;

const ci = {
  ci: {
    kind: 'enum',
    values: ['none', 'auto', 'github', 'gitlab'],
    default: 'none',
    brief: 'Also say what is found to a pipeline; auto: where GITHUB_ACTIONS or GITLAB_CI says so',
  },
  ciReport: text('With --ci gitlab: the report; default gl-code-quality-report.json', 'FILE'),
} as const;

/** How a folder is rendered. */
const renderInputs = {
  release: text('Release name that templates see; default the name of the folder', 'NAME'),
  namespace: text('Namespace that templates see; default "default"', 'NS'),
  env: text('Environment: lays values-ENV.yaml over values.yaml, of manifests with values without a chart', 'ENV'),
  values: texts('Values file, over those of the folder and of the environment; may be repeated', 'FILE'),
  set: texts('One value, over all files, as in "helm --set"; may be repeated', 'KEY=VALUE'),
  renderer: {
    kind: 'enum',
    values: RENDERERS,
    optional: true,
    brief: 'Renderer; default found from the files in the folder',
  },
} as const;

const render = buildCommand({
  loader: async () => (await import('./verbs/render.ts')).render,
  parameters: {
    flags: {
      ...everyVerb,
      ...renderInputs,
      explain: whether('Instead of the objects: which renderer and why, what was read, and the key of the result'),
      batch: text(
        'Instead of one folder, one of each line of a file: {"id","dir"}, and flags as further fields; needs -o jsonl',
        'FILE',
      ),
      output: oneOf('yaml', 'json', 'jsonl'),
    },
    aliases: ofTargetAliases,
    positional: {
      kind: 'tuple',
      parameters: [{ brief: 'Folder of the manifests', placeholder: 'DIR', parse: String, optional: true }],
    },
  },
  docs: { brief: 'Print the objects that a folder renders to, without a cluster' },
});

const diff = buildCommand({
  loader: async () => (await import('./verbs/diff.ts')).diff,
  parameters: {
    flags: {
      ...everyVerb,
      context,
      live: text('Objects as they run, with managedFields; - is standard input', 'FILE'),
      desired: text('Objects as they are wanted; - is standard input', 'FILE'),
      manager: text('With --live: the field manager whose fields are ours; default plumb', 'NAME'),
      showNormalised: whether('With --live: list what differs in the files and is no change, with the reason'),
      render: whether('Compare what a folder renders to at two commits'),
      ...renderInputs,
      full: whether('Every field of every object'),
      ...ci,
      output: oneOf('table', 'json'),
    },
    aliases: ofTargetAliases,
    positional: {
      kind: 'tuple',
      parameters: [
        {
          brief:
            'An application; with --render two commits by branch, tag, id or HEAD~1, where A.. is up to the working copy',
          placeholder: 'APP|A..B',
          parse: String,
          optional: true,
        },
        {
          brief:
            'Of an application two of: live, git, a release (r12), an environment; with --render the folder, default the current one',
          placeholder: 'A..B|DIR',
          parse: String,
          optional: true,
        },
      ],
    },
  },
  docs: {
    brief:
      'Show what applying objects would change in live ones, how two commits render, or how two states of an application differ; exit code 1 where something differs',
  },
});

const validate = buildCommand({
  loader: async () => (await import('./verbs/validate.ts')).validate,
  parameters: {
    flags: {
      ...everyVerb,
      ...renderInputs,
      env: text('Environment: for policies, and to lay values-ENV.yaml over values.yaml as render does', 'ENV'),
      policy: texts('File of policies, or a folder of such files, over the starter set; may be repeated', 'FILE|DIR'),
      ...ci,
      output: oneOf('table', 'json', 'sarif', 'junit'),
    },
    aliases: ofTargetAliases,
    positional: {
      kind: 'tuple',
      parameters: [
        {
          brief: 'Folder of the manifests; default the current one',
          placeholder: 'DIR',
          parse: String,
          optional: true,
        },
      ],
    },
  },
  docs: {
    brief:
      'Check what a folder renders to against schemas and policies, without a cluster; exit code 1 where something is refused',
  },
});

const engineRules = {
  healthLua: text('Folder of health scripts in Lua, as GROUP/KIND/health.lua', 'DIR'),
  healthRules: text('File of health rules in CEL', 'FILE'),
};

const health = buildCommand({
  loader: async () => (await import('./verbs/health.ts')).health,
  parameters: {
    flags: {
      ...everyVerb,
      filename: text('Objects in JSON or YAML, any number; - is standard input', 'FILE'),
      lua: text('Folder of health scripts in Lua, as GROUP/KIND/health.lua', 'DIR'),
      rules: text('File of health rules in CEL', 'FILE'),
      output: oneOf('table', 'json'),
    },
    aliases: { ...everyVerbAliases, f: 'filename', o: 'output' },
  },
  docs: { brief: 'Show the health that objects tell about themselves, without a cluster' },
});

const up = buildCommand({
  loader: async () => (await import('./verbs/up.ts')).up,
  parameters: {
    flags: {
      ...everyVerb,
      context: text('Work on this context of the kubeconfig instead of an embedded cluster', 'NAME'),
      port: wholeNumber('Port of the listener for webhooks, health and metrics; 0 is any free one', 'PORT', 0, 65_535),
      namespace: text('Look after the applications of one namespace only', 'NS'),
      data: text('Folder of the embedded cluster', 'DIR'),
      stampEdits: whether('Have the API server write on each managed object who edited it; also PLUMB_STAMP_EDITS=1'),
      auditToken: text(
        'File with the token that audit events are sent to /ingest/audit with; default none are taken',
        'FILE',
      ),
      auditLog: text('Audit log of the API server, to follow', 'FILE'),
      compareEvery: duration('How often each watch is held against a list, in case it lost something', '1h'),
      ...engineRules,
    },
    aliases: { ...everyVerbAliases, n: 'namespace' },
  },
  docs: { brief: 'Run the engine here, with an embedded cluster unless a context is named' },
});

const status = buildCommand({
  loader: async () => (await import('./verbs/status.ts')).status,
  parameters: {
    flags: {
      ...everyVerb,
      context,
      namespace: text('Namespace; default all', 'NS'),
      env,
      output: oneOf('table', 'wide', 'json', 'yaml', 'jsonl', 'name'),
      watch: whether('Print the table again at each change, until Ctrl-C'),
    },
    aliases: { ...everyVerbAliases, n: 'namespace', e: 'env', o: 'output', w: 'watch' },
    positional: application,
  },
  docs: { brief: 'Show how the applications are; exit code 1 where one is not healthy' },
});

const plan = buildCommand({
  loader: async () => (await import('./verbs/plan.ts')).plan,
  parameters: {
    flags: {
      ...ofTarget,
      ref: text('Branch, tag or commit instead of the one that is followed', 'REF'),
      pr: {
        kind: 'parsed',
        parse: pullRequestNumber,
        optional: true,
        brief: "What merging this pull (merge) request of the application's repository would do",
        placeholder: 'N',
      },
      local: text('Working copy instead of what is pushed: its root, or a folder in it', 'DIR'),
      release: text('With --local and no Application: the name to plan under', 'NAME'),
      full: whether('Every field of every object'),
      showNormalised: whether('List what differs and is no change, with the reason'),
      policy: texts('File of policies, or a folder of such files, over the starter set; may be repeated', 'FILE|DIR'),
      ...ci,
      exitCode: whether('Exit 1 where something would change'),
      detailedExitcode: whether('Exit 2 where something would change'),
      output: oneOf('table', 'json'),
    },
    aliases: ofTargetAliases,
    positional: {
      kind: 'tuple',
      parameters: [
        { brief: 'Application, or "show" or "list"', placeholder: 'APP', parse: String, optional: true },
        { brief: 'With show: a plan that was made', placeholder: 'ID', parse: String, optional: true },
      ],
    },
  },
  docs: { brief: 'Show what would change on the cluster' },
});

const sync = buildCommand({
  loader: async () => (await import('./verbs/sync.ts')).sync,
  parameters: {
    flags: {
      ...ofTarget,
      noWait: whether('Ask for it and do not wait'),
      timeout: duration('How long to wait', '5m'),
      approveDeletion: text('Approve the set of deletions with this digest', 'DIGEST'),
      plan: text('Apply exactly this plan; exit 7 where it is void', 'ID'),
    },
    aliases: { ...everyVerbAliases, n: 'namespace', e: 'env' },
    positional: application,
  },
  docs: { brief: 'Ask the engine to look at Git now, and wait until the application is healthy' },
});

const approve = buildCommand({
  loader: async () => (await import('./verbs/approve.ts')).approve,
  parameters: {
    flags: {
      ...ofTarget,
      reason: text('Why, for the record', 'TEXT'),
    },
    aliases: { ...everyVerbAliases, n: 'namespace', e: 'env' },
    positional: {
      kind: 'tuple',
      parameters: [
        { brief: 'Digest of the plan as it was seen, or its id on this machine', placeholder: 'PLAN', parse: String },
        { brief: 'Application: NAME or NAMESPACE/NAME', placeholder: 'APP', parse: String, optional: true },
      ],
    },
  },
  docs: { brief: 'Approve exactly what the plan of a release would do' },
});

const wait = buildCommand({
  loader: async () => (await import('./verbs/wait.ts')).wait,
  parameters: {
    flags: {
      ...ofTarget,
      for: {
        kind: 'enum',
        values: ['healthy', 'settled'],
        default: 'healthy',
        brief: 'healthy: fails with any other end; settled: whatever it ends in',
      },
      timeout: duration('How long to wait', '5m'),
    },
    aliases: { ...everyVerbAliases, n: 'namespace', e: 'env' },
    positional: application,
  },
  docs: { brief: 'Wait until an application is healthy, or has come to an end; asks for nothing' },
});

const why = buildCommand({
  loader: async () => (await import('./verbs/why.ts')).why,
  parameters: {
    flags: { ...ofTarget, ...engineRules, output: oneOf('text', 'json') },
    aliases: ofTargetAliases,
    positional: application,
  },
  docs: {
    brief: 'Name the cause: object, pod, changed field and its line, commit and author; exit code 1 if not healthy',
  },
});

const tree = buildCommand({
  loader: async () => (await import('./verbs/tree.ts')).tree,
  parameters: {
    flags: {
      ...ofTarget,
      unhealthy: whether('Only what is not healthy, and what it is part of'),
      ...engineRules,
      depth: wholeNumber('At most this many levels', 'N', 10, 100),
      output: oneOf('text', 'json'),
    },
    aliases: ofTargetAliases,
    positional: application,
  },
  docs: { brief: 'Show the live objects of an application and what they own, the worst first' },
});

const blame = buildCommand({
  loader: async () => (await import('./verbs/blame.ts')).blame,
  parameters: {
    flags: {
      ...ofTarget,
      field: text('Only this field and what is in it, or the fields of this name: spec.template, image', 'PATH'),
      status: whether('The status too'),
      output: oneOf('text', 'json'),
    },
    aliases: ofTargetAliases,
    positional: {
      kind: 'tuple',
      parameters: [
        { brief: 'Application; may be left out with the namespace of the object', placeholder: 'APP', parse: String },
        { brief: 'Object: Deployment/web', placeholder: 'KIND/NAME', parse: String, optional: true },
      ],
    },
  },
  docs: { brief: 'Show who owns each field of a live object, since when, and the line of Git that it is from' },
});

const logs = buildCommand({
  loader: async () => (await import('./verbs/logs.ts')).logs,
  parameters: {
    flags: {
      ...ofTarget,
      container: text('Containers of this name only', 'NAME'),
      previous: whether('Of the life before the last restart'),
      follow: whether('Go on with what is written from now on, until Ctrl-C'),
      since: duration('What was written within this time; 0s is all', '0s'),
      tail: wholeNumber('The last lines of each container', 'N', 100, 1_000_000),
    },
    aliases: { ...everyVerbAliases, n: 'namespace', e: 'env', c: 'container', f: 'follow' },
    positional: application,
  },
  docs: { brief: 'Print what the pods of an application write, those that are not well first' },
});

const events = buildCommand({
  loader: async () => (await import('./verbs/events.ts')).events,
  parameters: {
    flags: {
      ...ofTarget,
      since: duration('How far back', '1h'),
      output: oneOf('text', 'json'),
    },
    aliases: ofTargetAliases,
    positional: application,
  },
  docs: { brief: 'List the events of the objects of an application and of what they own, the newest last' },
});

const decommission = buildCommand({
  loader: async () => (await import('./verbs/decommission.ts')).decommission,
  parameters: {
    flags: {
      ...ofTarget,
      approveDeletion: text('Delete: approves the set of objects with this digest', 'DIGEST'),
      timeout: duration('How long to wait', '5m'),
      output: oneOf('table', 'json'),
    },
    aliases: ofTargetAliases,
    positional: application,
  },
  docs: { brief: 'Take an application down: show what would be deleted, and delete exactly that once it is approved' },
});

const forget = buildCommand({
  loader: async () => (await import('./verbs/forget.ts')).forget,
  parameters: {
    flags: { ...ofTarget, timeout: duration('How long to wait', '5m') },
    aliases: { ...everyVerbAliases, n: 'namespace', e: 'env' },
    positional: application,
  },
  docs: { brief: 'Stop managing an application and keep its objects as they are' },
});

const history = buildCommand({
  loader: async () => (await import('./verbs/history.ts')).history,
  parameters: {
    flags: {
      ...ofTarget,
      limit: wholeNumber('At most this many releases of each environment', 'N', 20, 10_000),
      include: {
        kind: 'enum',
        values: ['drift', 'hold'],
        variadic: ',',
        optional: true,
        brief: 'Also what others changed on the cluster (drift), and who let that stand (hold), in the order of time',
      },
      output: oneOf('table', 'json', 'jsonl', 'name'),
    },
    aliases: ofTargetAliases,
    positional: application,
  },
  docs: { brief: 'List the releases of an application, and what happened in between' },
});

const repoAdd = buildCommand({
  loader: async () => (await import('./verbs/repo-add.ts')).repoAdd,
  parameters: {
    flags: {
      ...ofCluster,
      url: { kind: 'parsed', parse: String, brief: 'https://… or ssh://…, without credentials', placeholder: 'URL' },
      ref: text("Branch, tag or commit to follow; default the remote's default branch", 'REF'),
      interval: text('How often to ask for news; default 15s', 'DURATION'),
      secret: text('Secret with the credentials', 'NAME'),
      webhookSecret: text('Secret that webhooks are signed with', 'NAME'),
      hostSecret: text("Plan pull requests: Secret with the token for the host's API", 'NAME'),
      host: {
        kind: 'enum',
        values: ['github', 'gitlab', 'gitea', 'bitbucket'],
        optional: true,
        brief: 'With --host-secret: what the host is (gitea is Forgejo as well); default by the name in the URL',
      },
      hostApi: text("With --host-secret: the root of the host's API; default where this kind of host has it", 'URL'),
      dryRun,
    },
    aliases: { ...everyVerbAliases, n: 'namespace' },
    positional: name('Name of the Repository'),
  },
  docs: { brief: 'Follow a Git repository' },
});

const appAdd = buildCommand({
  loader: async () => (await import('./verbs/app-add.ts')).appAdd,
  parameters: {
    flags: {
      ...ofCluster,
      repo: { kind: 'parsed', parse: String, brief: 'Repository, in the same namespace', placeholder: 'NAME' },
      path: { kind: 'parsed', parse: String, brief: 'Folder in the repository', placeholder: 'DIR', default: '.' },
      env: texts('Environment with its namespace; may be repeated', 'NAME=NAMESPACE'),
      serviceAccount: text('Service account to write as', 'NAME'),
      dryRun,
    },
    aliases: { ...everyVerbAliases, n: 'namespace', e: 'env' },
    positional: name('Name of the Application'),
  },
  docs: { brief: 'Keep the manifests of a folder on the cluster' },
});

const driftList = buildCommand({
  loader: async () => (await import('./verbs/drift.ts')).drift,
  parameters: {
    flags: {
      ...ofTarget,
      all: whether('With what has ended'),
      since: duration('What was found or has ended within this time, with how often and by whom', '0s'),
      by: text('Only by this user or field manager, or a part of the name', 'NAME'),
      limit: wholeNumber('Look through at most this many, the newest first', 'N', 1_000, 100_000),
      output: oneOf('table', 'json', 'jsonl'),
    },
    aliases: ofTargetAliases,
    positional: application,
  },
  docs: { brief: 'List what others have changed, and what became of it' },
});
const objectOfApplication = {
  kind: 'tuple',
  parameters: [
    { brief: 'Application: NAME or NAMESPACE/NAME', placeholder: 'APP', parse: String },
    { brief: 'Object of it: Deployment/shop', placeholder: 'KIND/NAME', parse: String },
  ],
} as const;

const driftKeep = buildCommand({
  loader: async () => (await import('./verbs/drift-keep.ts')).driftKeep,
  parameters: {
    flags: {
      ...ofTarget,
      field: texts('Only this field, and what is in it; may be repeated', 'PATH'),
      reason: text('Why, for the commit', 'TEXT'),
      file: text('Edit this file of the repository, and no other', 'FILE'),
      also: whether('Let other environments and applications change as well'),
      branch: text('Push to this branch instead of the one that is followed', 'NAME'),
      pullRequest: whether('Push to a branch of its own, plumb/keep-…, and open a pull request from it'),
      dryRun: whether('Push nothing: show the lines that would change'),
      output: oneOf('text', 'json'),
    },
    aliases: ofTargetAliases,
    positional: objectOfApplication,
  },
  docs: {
    brief: 'Commit to Git what somebody changed on the cluster: the one line that makes it so, proven by a render',
  },
});

/** Of what a person lets stand for a while. */
const holding = {
  field: texts('Only this field, and what is in it; may be repeated', 'PATH'),
  for: someDuration('How long: 90m, 2h; 168h at most'),
  until: text('Until when, with the zone: 2026-01-31T18:00:00Z', 'TIME'),
  reason: text('Why, for the record', 'TEXT'),
  atEnd: {
    kind: 'enum',
    values: HOLD_ENDS,
    default: 'heal',
    brief: 'What happens to the edits at the end: put back, left and reported, or left and turned into a pull request',
  },
} as const;

const hold = buildCommand({
  loader: async () => (await import('./verbs/hold.ts')).hold,
  parameters: {
    flags: {
      ...ofTarget,
      allowEdits: whether('Edits on the cluster stand and are recorded while the hold lasts'),
      object: text('Only edits of this object', 'KIND/NAME'),
      ...holding,
      output: oneOf('text', 'json'),
    },
    aliases: ofTargetAliases,
    positional: {
      kind: 'tuple',
      parameters: [
        { brief: 'Application: NAME or NAMESPACE/NAME; or "list"', placeholder: 'APP', parse: String },
        { brief: 'With list: only of this application', placeholder: 'APP', parse: String, optional: true },
      ],
    },
  },
  docs: { brief: 'Let edits on the cluster stand for a while, and list who does so: plumb hold list' },
});

const unhold = buildCommand({
  loader: async () => (await import('./verbs/unhold.ts')).unhold,
  parameters: {
    flags: { ...ofTarget, output: oneOf('text', 'json') },
    aliases: ofTargetAliases,
    positional: {
      kind: 'tuple',
      parameters: [{ brief: 'Hold, or application: all that is held of it', placeholder: 'NAME|APP', parse: String }],
    },
  },
  docs: { brief: 'Lift a hold before it ends' },
});

const driftHeal = buildCommand({
  loader: async () => (await import('./verbs/drift-heal.ts')).driftHeal,
  parameters: {
    flags: {
      ...ofTarget,
      noWait: whether('Ask for it and do not wait'),
      timeout: duration('How long to wait', '5m'),
      output: oneOf('text', 'json'),
    },
    aliases: ofTargetAliases,
    positional: {
      kind: 'tuple',
      parameters: [
        { brief: 'Application: NAME or NAMESPACE/NAME', placeholder: 'APP', parse: String },
        { brief: 'Only this object: Deployment/shop', placeholder: 'KIND/NAME', parse: String, optional: true },
      ],
    },
  },
  docs: { brief: 'Put back what has drifted by now, whatever rules and holds say' },
});

const driftAllow = buildCommand({
  loader: async () => (await import('./verbs/drift-allow.ts')).driftAllow,
  parameters: {
    flags: { ...ofTarget, ...holding, output: oneOf('text', 'json') },
    aliases: ofTargetAliases,
    positional: objectOfApplication,
  },
  docs: { brief: 'Let what was changed in one object stand for a while: a hold of that object alone' },
});

const driftIgnore = buildCommand({
  loader: async () => (await import('./verbs/drift-ignore.ts')).driftIgnore,
  parameters: {
    flags: {
      ...ofTarget,
      field: texts('Ignore this field, and what is in it; may be repeated', 'PATH'),
      manager: texts('Only where this field manager owns it; may be repeated', 'NAME'),
      reason: text('Why, for the rule and the commit', 'TEXT'),
      branch: text('Push to this branch instead of the one that is followed', 'NAME'),
      dryRun: whether('Push nothing: show the lines that would change'),
      output: oneOf('text', 'json'),
    },
    aliases: ofTargetAliases,
    positional: objectOfApplication,
  },
  docs: { brief: "Commit a rule to the Application in Git, by which fields of an object are nobody's drift" },
});

const version = buildCommand({
  loader: async () => (await import('./verbs/version.ts')).version,
  parameters: { flags: { ...everyVerb, output: oneOf('text', 'json') }, aliases: { ...everyVerbAliases, o: 'output' } },
  docs: { brief: 'Print the version' },
});

export const routes = buildRouteMap<string, CliContext>({
  routes: {
    up,
    status,
    plan,
    sync,
    approve,
    wait,
    why,
    tree,
    blame,
    logs,
    events,
    history,
    hold,
    unhold,
    decommission,
    forget,
    render,
    diff,
    validate,
    health,
    repo: buildRouteMap({ routes: { add: repoAdd }, docs: { brief: 'Repositories' } }),
    drift: buildRouteMap({
      routes: { list: driftList, heal: driftHeal, keep: driftKeep, allow: driftAllow, ignore: driftIgnore },
      defaultCommand: 'list',
      docs: { brief: 'What others changed on the cluster' },
    }),
    app: buildRouteMap({ routes: { add: appAdd }, docs: { brief: 'Applications' } }),
    version,
  },
  docs: {
    brief: 'Plumb keeps Kubernetes clusters true to Git.',
    fullDescription: [
      'Plumb keeps Kubernetes clusters true to Git.',
      '',
      'Results go to standard output, progress to standard error. Exit codes: 0 yes, 1 the answer is no, 2 usage or',
      'invalid input, 3 not permitted, 4 not reachable, 5 timed out, 6 refused by policy, 7 conflict, 8 internal fault.',
    ].join('\n'),
  },
});
