/**
 * How the conditions of custom resources are read, most trusted row first. A row says what `True` means; `False` and
 * `Unknown` are read by the row's `otherwise`.
 */
export interface ConditionRow {
  /** Matched against the type of the condition as a whole. */
  readonly types: RegExp;
  readonly examples: readonly string[];
  readonly whenTrue: 'Healthy' | 'Degraded' | 'Suspended' | 'Progressing';
  /**
   * - `nothing`: only `True` says something.
   * - `reason`: the words of the reason and message tell a fault from work in hand; without any it is work in hand.
   * - `fault`: only words that tell a fault count: the condition is one step of several.
   * - `refused`: a controller has decided: `False` is a fault unless its words say that it is at work.
   * - `explained`: as `refused`, but without a reason and a message it has not come to it yet.
   */
  readonly otherwise: 'nothing' | 'reason' | 'fault' | 'refused' | 'explained';
  /** Whether `True` settles the matter, so that no later row is asked. */
  readonly settles: boolean;
}

export const CONDITION_TABLE: readonly ConditionRow[] = [
  {
    types: /^(Paused|Suspended|Hibernated|Hibernation|Stopped|ReconciliationPaused|ReconcilePaused)$/,
    examples: ['Paused', 'Suspended'],
    whenTrue: 'Suspended',
    otherwise: 'nothing',
    settles: true,
  },
  {
    types:
      /^(Stalled|Degraded|Failed|Failure|Fatal|Error|Errored|ErrorOccurred|ErrorObserved|Fallback|Invalid|InvalidSpec|InvalidRequest|Conflicted|Denied|Rejected|Misconfigured|Terminal|TerminalError|Failed[A-Z]\w*|.*(Failed|Failure|Error|Errors|Degraded|Unhealthy|Missing))$/,
    examples: ['Degraded', 'Failed', 'ReconcileError', 'Fallback'],
    whenTrue: 'Degraded',
    otherwise: 'nothing',
    settles: true,
  },
  {
    types:
      /^(Issuing|Updating|Upgrading|RollingUpdate|RollingOut|Deleting|Terminating|Migrating|Resizing|ScalingUp|ScalingDown)$/,
    examples: ['Issuing', 'Updating', 'Upgrading', 'Terminating'],
    whenTrue: 'Progressing',
    otherwise: 'fault',
    settles: true,
  },
  {
    types: /^(Synced|Installed|ReconcileSuccess|ReconcileSucceeded|LastAsyncOperation|RemoteSynced|ResourceSynced)$/,
    examples: ['Synced', 'Installed', 'LastAsyncOperation'],
    whenTrue: 'Healthy',
    otherwise: 'explained',
    settles: false,
  },
  { types: /^Ready$/, examples: ['Ready'], whenTrue: 'Healthy', otherwise: 'reason', settles: true },
  {
    types: /^(NotReady|PartiallyReady|Unavailable|Unready)$/,
    examples: ['NotReady', 'PartiallyReady'],
    whenTrue: 'Degraded',
    otherwise: 'nothing',
    settles: true,
  },
  {
    types:
      /^(.*Progressing|Reconciling|Creating|Pending|Initializing|Provisioning|Installing|Deploying|Processing|Waiting|InProgress)$/,
    examples: ['Progressing', 'RolloutProgressing', 'Pending', 'Installing'],
    whenTrue: 'Progressing',
    otherwise: 'fault',
    settles: true,
  },
  {
    types: /^(Available|Healthy|Succeeded|Success|Successful|Completed?|Finished|Done)$/,
    examples: ['Available', 'Healthy', 'Succeeded', 'Complete'],
    whenTrue: 'Healthy',
    otherwise: 'reason',
    settles: true,
  },
  {
    types: /^(Accepted|Admitted|Valid|Validated|Compliant|ResolvedRefs|Adopted|Advertised|NamesAccepted|Approved)$/,
    examples: ['Accepted', 'Admitted', 'Valid', 'Compliant', 'ResolvedRefs'],
    whenTrue: 'Healthy',
    otherwise: 'refused',
    settles: false,
  },
  {
    types:
      /^(Programmed|Established|Deployed|Released|Promoted|Reconciled|Running|Active|Initialized|Initialised|Provisioned|Created|Bound|Applied|Updated|Configured|Connected|Scheduled|Discoverable|Online|Operational|.*(Ready|Available|Succeeded|Synced|Reconciled|Healthy|Completed?|Installed|Provisioned|Created|Applied|Deployed|Established|Discovered|Discoverable|UpToDate))$/,
    examples: ['Programmed', 'Established', 'Promoted', 'Running', 'InfrastructureReady', 'ResourcesUpToDate'],
    whenTrue: 'Healthy',
    otherwise: 'reason',
    settles: false,
  },
];
