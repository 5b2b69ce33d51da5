/**
 * Every error that Plumb can name: the one table. A code is stable for ever and is also the `reason` of a condition, so
 * it is CamelCase.
 *
 * - `culprit`: where the next step lies: with the person who wrote the input, with the cluster, with the Git or chart
 *   source, or with Plumb.
 * - `retry`: `change` waits for new input (a commit, a spec, a right); `backoff` tries again by itself.
 * - `fix`: the next step when the place that raised the error knows no better one.
 */
export const ERROR_CODES = {
  // Reading files
  YamlSyntax: { culprit: 'user', retry: 'change', fix: 'Correct the YAML at this line.' },
  YamlDuplicateKey: {
    culprit: 'user',
    retry: 'change',
    fix: 'Remove one of the two keys: which one would win is not defined.',
  },
  YamlAliasLimit: {
    culprit: 'user',
    retry: 'change',
    fix: 'Write the repeated part out: a file may expand at most 100 aliases.',
  },
  YamlMergeDisabled: {
    culprit: 'user',
    retry: 'change',
    fix: 'Write the merged keys out: "<<" is limited because its cost can be quadratic.',
  },
  YamlDepthLimit: { culprit: 'user', retry: 'change', fix: 'Flatten the document: at most 100 levels are read.' },
  YamlCycle: { culprit: 'user', retry: 'change', fix: 'Remove the alias that contains itself.' },
  YamlTag: { culprit: 'user', retry: 'change', fix: 'Remove the tag: Kubernetes manifests have none.' },
  NumberRange: {
    culprit: 'user',
    retry: 'change',
    fix: 'Quote the value or use a number that 64-bit floating point holds exactly.',
  },
  Encoding: { culprit: 'user', retry: 'change', fix: 'Save the file as UTF-8.' },
  FileTooLarge: { culprit: 'user', retry: 'change', fix: 'Split the file: at most 10 MiB are read.' },
  TooManyDocs: { culprit: 'user', retry: 'change', fix: 'Split the application: at most 20,000 objects are read.' },
  NotAnObject: {
    culprit: 'user',
    retry: 'change',
    fix: 'Make the document a mapping with apiVersion, kind and metadata, or exclude the file with spec.render.manifests.exclude.',
  },
  ObjectInvalid: { culprit: 'user', retry: 'change', fix: 'Set the named field.' },
  NameInvalid: { culprit: 'user', retry: 'change', fix: 'Use lower case letters, digits, "-" and "." only.' },
  DuplicateObject: { culprit: 'user', retry: 'change', fix: 'Remove one of the two definitions.' },
  DuplicateListKey: {
    culprit: 'user',
    retry: 'change',
    fix: 'Remove one of the two entries: the API server merges this list by key.',
  },
  ForbiddenField: {
    culprit: 'user',
    retry: 'change',
    fix: 'Remove the field: it is set by the API server or by Plumb.',
  },
  TooLarge: { culprit: 'user', retry: 'change', fix: 'Make the object smaller: the API server would refuse it.' },
  // Health rules
  HealthRulesInvalid: { culprit: 'user', retry: 'change', fix: 'Correct the named field or folder.' },
  LuaSyntax: { culprit: 'user', retry: 'change', fix: 'Correct the script at this line: it is read as Lua 5.1.' },
  LuaError: { culprit: 'user', retry: 'change', fix: 'Correct the script, and try it with "plumb health --lua".' },
  LuaLimit: { culprit: 'user', retry: 'change', fix: 'Make the script cheaper: it may take 1 s and make 64 MiB.' },
  CelSyntax: { culprit: 'user', retry: 'change', fix: 'Correct the expression.' },
  CelType: { culprit: 'user', retry: 'change', fix: 'Make the expression a bool over fields that the kind has.' },
  CelCost: {
    culprit: 'user',
    retry: 'change',
    fix: 'Make the expression cheaper: look at fewer values, or at each of them once.',
  },
  // Policies
  PolicyInvalid: { culprit: 'user', retry: 'change', fix: 'Correct the named field of the policy.' },
  PolicyDenied: {
    culprit: 'user',
    retry: 'change',
    fix: 'Change the object so that the policy holds, or the policy.',
  },
  // Keeping a live change
  EditRefused: { culprit: 'user', retry: 'change', fix: 'Edit this line by hand.' },
  AuthorMissing: {
    culprit: 'user',
    retry: 'change',
    fix: 'Say who you are: git config --global user.name "…", and user.email.',
  },
  BranchMoved: {
    culprit: 'user',
    retry: 'change',
    fix: 'Run it again: somebody else pushes to the branch, and what they changed counts.',
  },
  PushRejected: {
    culprit: 'user',
    retry: 'change',
    fix: 'Push to a branch of its own with --branch, and open a pull request.',
  },
  KeepImpossible: { culprit: 'user', retry: 'change', fix: 'Change it in Git by hand, or let it be healed.' },
  KeepShared: { culprit: 'user', retry: 'change', fix: 'Let the others change as well with --also.' },
  // Drift
  HoldMissing: { culprit: 'user', retry: 'change', fix: 'See what is held with "plumb hold list".' },
  ManifestMissing: {
    culprit: 'user',
    retry: 'change',
    fix: 'Commit the Application to a repository that Plumb follows, or change it on the cluster.',
  },
  ManifestBuilt: { culprit: 'user', retry: 'change', fix: 'Change what the Application is built from by hand.' },
  // Rendering
  TemplateError: { culprit: 'user', retry: 'change', fix: 'Correct the template at this line.' },
  ValuesInvalid: { culprit: 'user', retry: 'change', fix: 'Correct the values.' },
  UnsetVariable: {
    culprit: 'user',
    retry: 'change',
    fix: `Set the variable in spec.render.substitute, or give it a default: \${NAME:-default}.`,
  },
  SubstitutionInvalid: {
    culprit: 'user',
    retry: 'change',
    fix: 'Correct the expression; write $$ for a dollar sign.',
  },
  RenderTimeout: { culprit: 'user', retry: 'change', fix: 'Make the templates cheaper: a render may take 30 s.' },
  RenderMemory: { culprit: 'user', retry: 'change', fix: 'Make the templates cheaper: a render may use 256 MiB.' },
  RenderCrash: {
    culprit: 'engine',
    retry: 'backoff',
    fix: 'Run "plumb render" on the folder to see it alone, and report the input.',
  },
  RendererUnclear: {
    culprit: 'user',
    retry: 'change',
    fix: 'Say which is meant with spec.render.renderer, or move one of the two into a folder of its own.',
  },
  ChartInvalid: { culprit: 'user', retry: 'change', fix: 'Correct the chart.' },
  SchemaLimit: {
    culprit: 'user',
    retry: 'change',
    fix: 'Write the schema into values.schema.json: references to other files and to the network are not followed.',
  },
  KustomizeInvalid: { culprit: 'user', retry: 'change', fix: 'Correct the kustomization.' },
  KustomizeCycle: { culprit: 'user', retry: 'change', fix: 'Remove the base that leads back to itself.' },
  KustomizeDisabled: {
    culprit: 'user',
    retry: 'change',
    fix: 'Vendor what is remote, and replace what would run a program: nothing from a repository runs or reaches the network.',
  },
  SymlinkEscape: { culprit: 'user', retry: 'change', fix: 'Let the link lead to a file inside the repository.' },
  SymlinkLoop: { culprit: 'user', retry: 'change', fix: 'Remove the link that leads to itself.' },
  PathEscape: { culprit: 'user', retry: 'change', fix: 'Use a path inside the repository.' },
  // Source
  PathMissing: { culprit: 'user', retry: 'change', fix: 'Correct spec.source.path, or restore the folder.' },
  SuspiciouslyEmpty: {
    culprit: 'user',
    retry: 'change',
    fix: 'Nothing was deleted. Restore the manifests, or delete the Application to remove its objects.',
  },
  RefMissing: { culprit: 'user', retry: 'change', fix: 'Correct the ref, or push it.' },
  RefInvalid: { culprit: 'user', retry: 'change', fix: 'Use a branch, a tag or a full commit id.' },
  UrlScheme: { culprit: 'user', retry: 'change', fix: 'Use an https:// or ssh:// URL.' },
  UrlCredentials: {
    culprit: 'user',
    retry: 'change',
    fix: 'Move the credentials into a Secret and name it in spec.secretRef.',
  },
  RepositoryMissing: {
    culprit: 'user',
    retry: 'change',
    fix: 'Create the Repository, or correct spec.source.repository.',
  },
  RepositorySuspended: {
    culprit: 'source',
    retry: 'backoff',
    fix: 'Remove spec.suspend from the Repository to look for commits again.',
  },
  RepositoryUnreachable: {
    culprit: 'source',
    retry: 'backoff',
    fix: 'Check the URL and that the host can be reached from here.',
  },
  RepositoryUnauthorized: { culprit: 'source', retry: 'backoff', fix: 'Check the Secret that spec.secretRef names.' },
  RepositoryNotFound: {
    culprit: 'source',
    retry: 'backoff',
    fix: 'Check the URL; some hosts say "not found" where the credentials lack the right.',
  },
  HostKeyUnknown: { culprit: 'source', retry: 'backoff', fix: 'Add the host key to known_hosts in the Secret.' },
  TlsUntrusted: { culprit: 'source', retry: 'backoff', fix: 'Add the authority to ca.crt in the Secret.' },
  GitFailed: { culprit: 'source', retry: 'backoff', fix: 'See the cause.' },
  SubmoduleDisabled: { culprit: 'user', retry: 'change', fix: 'Vendor the files: submodules are not followed.' },
  SecretMissing: { culprit: 'user', retry: 'change', fix: 'Create the Secret in the namespace of the Repository.' },
  SecretInvalid: { culprit: 'user', retry: 'change', fix: 'Give the Secret the keys that the reference names.' },
  // Charts
  ChartNotFound: { culprit: 'user', retry: 'backoff', fix: 'Correct the name of the chart, or publish it.' },
  ChartVersionMissing: {
    culprit: 'user',
    retry: 'backoff',
    fix: 'Name a version that there is, or publish this one; a prerelease counts only where the range names one.',
  },
  ChartRepositoryUnreachable: {
    culprit: 'source',
    retry: 'backoff',
    fix: 'Check the URL and that the host can be reached from here.',
  },
  ChartRepositoryUnauthorized: {
    culprit: 'source',
    retry: 'backoff',
    fix: 'Check the credentials in the Secret, and that they may read this chart.',
  },
  ChartRepositoryInvalid: {
    culprit: 'source',
    retry: 'backoff',
    fix: 'Check that the URL is that of a Helm repository (https://) or of an OCI registry (oci://).',
  },
  ChartDigestMismatch: {
    culprit: 'source',
    retry: 'backoff',
    fix: 'Publish the chart again: what the host sent is not what it had promised.',
  },
  RedirectBlocked: {
    culprit: 'source',
    retry: 'backoff',
    fix: 'Use the https:// address that the host should have led to.',
  },
  ChartTooLarge: {
    culprit: 'source',
    retry: 'change',
    fix: 'Make it smaller: a chart may have 20 MiB, and the index of a repository 64 MiB.',
  },
  // Pull requests
  HostUnknown: {
    culprit: 'user',
    retry: 'change',
    fix: 'Say what the host is: github, gitlab, gitea (also Forgejo) or bitbucket.',
  },
  PullRequestMissing: {
    culprit: 'user',
    retry: 'change',
    fix: 'Check the number, and that the application reads the repository that it is of; a token that may not see it is told the same.',
  },
  PullRequestClosed: {
    culprit: 'user',
    retry: 'change',
    fix: 'Open it again, or plan what the branch has by now: plumb plan without --pr.',
  },
  HostUnreachable: {
    culprit: 'source',
    retry: 'backoff',
    fix: "Check that the API of the Git host can be reached from here, and the host's own status.",
  },
  HostUnauthorized: {
    culprit: 'source',
    retry: 'backoff',
    fix: 'Check the token in the Secret, that it has not expired, and that it has the rights that the guide names.',
  },
  HostNotFound: {
    culprit: 'source',
    retry: 'backoff',
    fix: 'Check the repository; some hosts say "not found" where the token lacks the right.',
  },
  HostRateLimited: {
    culprit: 'source',
    retry: 'backoff',
    fix: 'Nothing to do: it is tried again when the host allows it. A token of its own has a limit of its own.',
  },
  HostRefused: {
    culprit: 'source',
    retry: 'backoff',
    fix: 'Check that the commit and the pull request are still there, and that the token may write to them.',
  },
  HostAnswerInvalid: {
    culprit: 'source',
    retry: 'backoff',
    fix: 'Check what answers at this address: it does not speak the API of the host that was named.',
  },
  // Specs
  SpecInvalid: { culprit: 'user', retry: 'change', fix: 'Correct the named field.' },
  EnvironmentMissing: { culprit: 'user', retry: 'change', fix: 'Name an environment that the Application lists.' },
  ApplicationMissing: {
    culprit: 'user',
    retry: 'change',
    fix: 'Name an Application that exists; "plumb status" lists them.',
  },
  OwnedByOther: { culprit: 'user', retry: 'change', fix: 'Remove the object from one of the two applications.' },
  ClusterRewound: {
    culprit: 'cluster',
    retry: 'backoff',
    fix: 'Wait: nothing is deleted for 15 minutes after a cluster was set back to an older state.',
  },
  RenderUnstable: {
    culprit: 'user',
    retry: 'backoff',
    fix: 'Look for what differs with "plumb render": chance, or a fault of the machine. Nothing is deleted until two renders agree.',
  },
  NamespaceKept: {
    culprit: 'user',
    retry: 'backoff',
    fix: 'Move or delete what is in the namespace, or restore it in Git.',
  },
  DeletionBlocked: {
    culprit: 'user',
    retry: 'change',
    fix: 'Restore the objects in Git, or approve exactly this set of deletions.',
  },
  ApprovalMissing: { culprit: 'user', retry: 'change', fix: 'Look at the plan, and approve it with "plumb approve".' },
  ReleaseMissing: { culprit: 'user', retry: 'change', fix: 'See "plumb history" on the machine of the engine.' },
  PlanMissing: { culprit: 'user', retry: 'change', fix: 'See "plumb plan list", or make a new one with "plumb plan".' },
  PlanVoid: {
    culprit: 'user',
    retry: 'change',
    fix: 'Make a new plan: Git, a live field that it touches, or a rule has moved since.',
  },
  OrderCycle: {
    culprit: 'user',
    retry: 'change',
    fix: 'Change a wave or a depends-on, so that one of them can be the first.',
  },
  DependencyMissing: { culprit: 'user', retry: 'change', fix: 'Correct the name, or create what is depended on.' },
  DependencyCycle: {
    culprit: 'user',
    retry: 'change',
    fix: 'Remove one of these spec.dependsOn: none of the applications can be the first.',
  },
  HookFailed: {
    culprit: 'user',
    retry: 'change',
    fix: 'Look at the logs of the hook, then push a correction, or run it again with "plumb sync".',
  },
  ForeignObject: { culprit: 'user', retry: 'change', fix: 'Delete the object by hand, or remove it from Git.' },
  // Cluster
  KubeconfigInvalid: { culprit: 'user', retry: 'change', fix: 'Correct the kubeconfig.' },
  KubeconfigMissing: { culprit: 'user', retry: 'change', fix: 'Set KUBECONFIG, or pass --context.' },
  ClusterUnreachable: { culprit: 'cluster', retry: 'backoff', fix: 'Check that the API server can be reached.' },
  ClusterUnauthorized: {
    culprit: 'cluster',
    retry: 'backoff',
    fix: 'Sign in again: the credentials in the kubeconfig were refused.',
  },
  Forbidden: { culprit: 'cluster', retry: 'backoff', fix: 'Grant the named permission.' },
  KindMissing: {
    culprit: 'user',
    retry: 'backoff',
    fix: 'Install the CustomResourceDefinition, or correct apiVersion and kind.',
  },
  NamespaceMissing: { culprit: 'user', retry: 'backoff', fix: 'Create the namespace, or add it to the application.' },
  NamespaceTerminating: {
    culprit: 'cluster',
    retry: 'backoff',
    fix: 'Wait until the namespace is gone, then it is created again.',
  },
  FieldInvalid: { culprit: 'user', retry: 'change', fix: 'Correct the named field.' },
  FieldUnknown: { culprit: 'user', retry: 'change', fix: 'Correct the spelling of the field, or remove it.' },
  FieldImmutable: {
    culprit: 'user',
    retry: 'change',
    fix: 'Restore the old value, or have the object deleted and made anew: annotate it with plumb.dev/sync-options: Force=true (a claim or a StatefulSet takes an approval besides; never a definition, namespace or volume).',
  },
  Fighting: {
    culprit: 'cluster',
    retry: 'backoff',
    fix: 'Decide who owns the field: take it out of Git, or stop the other writer. "plumb sync" heals at once.',
  },
  FieldConflict: {
    culprit: 'user',
    retry: 'change',
    fix: 'Remove the field from Git, or let Plumb take it with spec.conflicts: force.',
  },
  DryRunUnsupported: {
    culprit: 'cluster',
    retry: 'backoff',
    fix: 'Nothing to do: it is written without having been tried first. A webhook that sets sideEffects: None can be asked.',
  },
  AdmissionDenied: { culprit: 'cluster', retry: 'backoff', fix: 'Change the object as the policy asks.' },
  QuotaExceeded: { culprit: 'cluster', retry: 'backoff', fix: 'Raise the quota, or ask for less.' },
  Conflict: { culprit: 'cluster', retry: 'backoff', fix: 'Nothing to do: it is tried again on the new state.' },
  NotFound: { culprit: 'cluster', retry: 'backoff', fix: 'Nothing to do: it is tried again on the new state.' },
  TooManyRequests: { culprit: 'cluster', retry: 'backoff', fix: 'Nothing to do: Plumb slows down and tries again.' },
  ServerError: { culprit: 'cluster', retry: 'backoff', fix: 'Look into the log of the API server.' },
  ResponseInvalid: {
    culprit: 'cluster',
    retry: 'backoff',
    fix: 'Check what answers at this address: it is not a Kubernetes API server.',
  },
  Expired: { culprit: 'cluster', retry: 'backoff', fix: 'Nothing to do: the list is read anew.' },
  Unhealthy: { culprit: 'user', retry: 'change', fix: 'Look at the named object.' },
  WaitTimeout: { culprit: 'user', retry: 'change', fix: 'Look at what it waits for; the work goes on.' },
  // Plumb itself
  Usage: { culprit: 'user', retry: 'change', fix: 'See "plumb --help".' },
  NotRunning: { culprit: 'user', retry: 'change', fix: 'Start the engine with "plumb up", or pass --context.' },
  EngineBusy: {
    culprit: 'user',
    retry: 'change',
    fix: 'Stop the other engine, or wait until its lease has run out (45 s).',
  },
  LedgerUnavailable: {
    culprit: 'engine',
    retry: 'backoff',
    fix: 'Check the disk; nothing is written to a cluster without a record.',
  },
  LedgerBusy: { culprit: 'user', retry: 'change', fix: 'Stop the other engine that uses this state folder.' },
  PrerequisiteMissing: { culprit: 'user', retry: 'change', fix: 'Install what is named.' },
  ControlPlaneFailed: { culprit: 'engine', retry: 'backoff', fix: 'Look into the log that is named.' },
  Internal: {
    culprit: 'engine',
    retry: 'backoff',
    fix: 'This is a bug in Plumb: please report it with the output of -v.',
  },
} as const satisfies Record<string, ErrorFacts>;

export interface ErrorFacts {
  readonly culprit: 'user' | 'cluster' | 'source' | 'engine';
  readonly retry: 'change' | 'backoff';
  readonly fix: string;
}

export type ErrorCode = keyof typeof ERROR_CODES;
