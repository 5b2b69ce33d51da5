import { isJsonArray } from '../canonical.ts';
import { fieldAt, isJsonObject, type Json } from '../object.ts';
import { slotOf, type FieldType, type Slot, type StructType } from './kind-schema.ts';
import { isNothing } from './same-value.ts';

/**
 * The value with what the API server would put where nothing is. Both sides of a comparison are filled, so that a default
 * that is written out, one that is not, and one that an older server does not know are the same.
 *
 * Source: the defaulting functions of Kubernetes (`SetDefaults_…`), held against a real server by
 * packages/kube/src/offline-diff.test.ts.
 */
export function withDefaults(value: Json, type: FieldType, isRoot = true): Json {
  if (type.form === 'list') return isJsonArray(value) ? value.map((item) => itemDefaults(item, type.item)) : value;
  if (!isJsonObject(value)) return value;
  if (type.form === 'map') {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, itemDefaults(item, type.value)]));
  }
  if (type.form === 'leaf') return value;
  const fields = new Fields(value, type);
  if (!isRoot && type.fields.has('metadata') && type.name.endsWith('PersistentVolumeClaim')) fields.removeOwn();
  CONSTANTS[type.name]?.forEach(([field, given]) => fields.default(field, given));
  RULES[type.name]?.(fields);
  fields.fillBelow();
  return fields.value();
}

function itemDefaults(item: Json, { type }: Slot): Json {
  return withDefaults(item, type, false);
}

/** The fields of one value while its defaults are put in. */
class Fields {
  readonly #values: Record<string, Json>;
  readonly #type: StructType;

  constructor(value: Readonly<Record<string, Json>>, type: StructType) {
    // A field may be called like something that every object inherits.
    this.#values = Object.assign(Object.create(null) as Record<string, Json>, value);
    this.#type = type;
  }

  value(): Json {
    return { ...this.#values };
  }

  /** The fields that are there. */
  given(): readonly string[] {
    return Object.keys(this.#values).filter((field) => this.#values[field] !== null);
  }

  /** Undefined where the server keeps nothing. */
  get(field: string): Json | undefined {
    const value = this.#values[field];
    return isNothing(value, slotOf(this.#type, field)) ? undefined : value;
  }

  set(field: string, value: Json): void {
    this.#values[field] = value;
  }

  default(field: string, value: Json): void {
    if (this.get(field) === undefined) this.set(field, value);
  }

  remove(field: string): void {
    delete this.#values[field];
  }

  below(field: string): Fields {
    const { type } = slotOf(this.#type, field);
    const value = this.#values[field];
    if (type.form !== 'struct') throw new TypeError(`${field} holds no fields`);
    return new Fields(isJsonObject(value) ? value : {}, type);
  }

  /** Sets defaults in a field that holds fields, whether it is there or not. */
  within(field: string, fill: (fields: Fields) => void): void {
    const fields = this.below(field);
    fill(fields);
    this.set(field, fields.value());
  }

  eachOf(field: string, fill: (fields: Fields) => void): void {
    const { type } = slotOf(this.#type, field);
    const items = this.#values[field];
    if (type.form !== 'list' || type.item.type.form !== 'struct' || !isJsonArray(items)) return;
    const itemType = type.item.type;
    this.set(
      field,
      items.map((item) => {
        if (!isJsonObject(item)) return item;
        const fields = new Fields(item, itemType);
        fill(fields);
        return fields.value();
      }),
    );
  }

  /** An object within another says its kind and status too, which nobody writes there. */
  removeOwn(): void {
    for (const field of ['apiVersion', 'kind', 'status']) this.remove(field);
  }

  fillBelow(): void {
    for (const [field, slot] of this.#type.fields) {
      if (slot.default !== undefined) this.default(field, slot.default);
      const value = this.#values[field];
      if (value !== undefined && value !== null) {
        this.set(field, withDefaults(value, slot.type, false));
        continue;
      }
      if (slot.isPointer || slot.type.form !== 'struct') continue;
      // A value that is always there in the server's own form has its defaults too.
      const filled = withDefaults({}, slot.type, false);
      if (!isNothing(filled, slot)) this.set(field, filled);
    }
  }
}

const PROBE = { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 };
const VOLUME_MODE_BITS = 0o644;
const HOUR_SECONDS = 3600;
const RBAC = 'rbac.authorization.k8s.io';
const WEBHOOK = {
  failurePolicy: 'Fail',
  matchPolicy: 'Equivalent',
  namespaceSelector: {},
  objectSelector: {},
  timeoutSeconds: 10,
};
const MATCH = { matchPolicy: 'Equivalent', namespaceSelector: {}, objectSelector: {} };

const CONSTANTS: Readonly<Record<string, readonly (readonly [field: string, value: Json])[]>> = byField({
  'admissionregistration/v1.MatchResources': MATCH,
  'admissionregistration/v1.MutatingAdmissionPolicySpec': { failurePolicy: 'Fail' },
  'admissionregistration/v1.MutatingWebhook': { ...WEBHOOK, reinvocationPolicy: 'Never' },
  'admissionregistration/v1.NamedRuleWithOperations': { scope: '*' },
  'admissionregistration/v1.RuleWithOperations': { scope: '*' },
  'admissionregistration/v1.ServiceReference': { port: 443 },
  'admissionregistration/v1.ValidatingAdmissionPolicySpec': { failurePolicy: 'Fail' },
  'admissionregistration/v1.ValidatingWebhook': WEBHOOK,
  'apiextensions/v1.CustomResourceDefinitionSpec': { conversion: { strategy: 'None' } },
  'apiextensions/v1.ServiceReference': { port: 443 },
  'apiregistration/v1.ServiceReference': { port: 443 },
  'apps/v1.DaemonSetSpec': { revisionHistoryLimit: 10 },
  'apps/v1.DeploymentSpec': { replicas: 1, revisionHistoryLimit: 10, progressDeadlineSeconds: 600 },
  'apps/v1.ReplicaSetSpec': { replicas: 1 },
  'apps/v1.StatefulSetPersistentVolumeClaimRetentionPolicy': { whenDeleted: 'Retain', whenScaled: 'Retain' },
  'apps/v1.StatefulSetSpec': {
    persistentVolumeClaimRetentionPolicy: {},
    podManagementPolicy: 'OrderedReady',
    replicas: 1,
    revisionHistoryLimit: 10,
  },
  'autoscaling/v1.HorizontalPodAutoscalerSpec': { minReplicas: 1 },
  'batch/v1.CronJobSpec': {
    concurrencyPolicy: 'Allow',
    failedJobsHistoryLimit: 1,
    successfulJobsHistoryLimit: 3,
    suspend: false,
  },
  'batch/v1.PodFailurePolicyOnPodConditionsPattern': { status: 'True' },
  'core/v1.AzureDiskVolumeSource': { cachingMode: 'ReadWrite', kind: 'Shared' },
  'core/v1.ConfigMapVolumeSource': { defaultMode: VOLUME_MODE_BITS },
  'core/v1.DownwardAPIVolumeSource': { defaultMode: VOLUME_MODE_BITS },
  'core/v1.EndpointPort': { protocol: 'TCP' },
  'core/v1.HTTPGetAction': { path: '/', scheme: 'HTTP' },
  'core/v1.HostPathVolumeSource': { type: '' },
  'core/v1.ObjectFieldSelector': { apiVersion: 'v1' },
  'core/v1.PersistentVolumeClaimSpec': { volumeMode: 'Filesystem' },
  'core/v1.PersistentVolumeSpec': { persistentVolumeReclaimPolicy: 'Retain', volumeMode: 'Filesystem' },
  'core/v1.PodSpec': {
    dnsPolicy: 'ClusterFirst',
    restartPolicy: 'Always',
    schedulerName: 'default-scheduler',
    securityContext: {},
    terminationGracePeriodSeconds: 30,
  },
  'core/v1.Probe': PROBE,
  'core/v1.ProjectedVolumeSource': { defaultMode: VOLUME_MODE_BITS },
  'core/v1.Secret': { type: 'Opaque' },
  'core/v1.SecretVolumeSource': { defaultMode: VOLUME_MODE_BITS },
  'core/v1.ServiceAccountTokenProjection': { expirationSeconds: HOUR_SECONDS },
  'discovery/v1.EndpointPort': { name: '', protocol: 'TCP' },
  'flowcontrol/v1.ExemptPriorityLevelConfiguration': { nominalConcurrencyShares: 0, lendablePercent: 0 },
  'flowcontrol/v1.FlowSchemaSpec': { matchingPrecedence: 1000 },
  'flowcontrol/v1.LimitedPriorityLevelConfiguration': { nominalConcurrencyShares: 30, lendablePercent: 0 },
  'flowcontrol/v1.QueuingConfiguration': { handSize: 8, queues: 64, queueLengthLimit: 50 },
  'networking/v1.IngressClassParametersReference': { scope: 'Cluster' },
  'networking/v1.NetworkPolicyPort': { protocol: 'TCP' },
  'rbac/v1.RoleRef': { apiGroup: RBAC },
  'scheduling/v1.PriorityClass': { preemptionPolicy: 'PreemptLowerPriority' },
  'storage/v1.CSIDriverSpec': {
    attachRequired: true,
    fsGroupPolicy: 'ReadWriteOnceWithFSType',
    podInfoOnMount: false,
    preventPodSchedulingIfMissing: false,
    requiresRepublish: false,
    seLinuxMount: false,
    storageCapacity: false,
    volumeLifecycleModes: ['Persistent'],
  },
  'storage/v1.StorageClass': { reclaimPolicy: 'Delete', volumeBindingMode: 'Immediate' },
});

/** Defaults that depend on other fields. */
const RULES: Readonly<Record<string, (fields: Fields) => void>> = {
  'apiextensions/v1.CustomResourceDefinitionNames': (names) => {
    const kind = names.get('kind');
    if (typeof kind !== 'string') return;
    names.default('singular', kind.toLowerCase());
    names.default('listKind', `${kind}List`);
  },
  'apps/v1.DaemonSetUpdateStrategy': (strategy) => {
    strategy.default('type', 'RollingUpdate');
    if (strategy.get('type') !== 'RollingUpdate') return;
    strategy.within('rollingUpdate', (update) => {
      update.default('maxUnavailable', 1);
      update.default('maxSurge', 0);
    });
  },
  'apps/v1.DeploymentStrategy': (strategy) => {
    strategy.default('type', 'RollingUpdate');
    if (strategy.get('type') !== 'RollingUpdate') return;
    strategy.within('rollingUpdate', (update) => {
      update.default('maxUnavailable', '25%');
      update.default('maxSurge', '25%');
    });
  },
  'apps/v1.StatefulSetUpdateStrategy': (strategy) => {
    strategy.default('type', 'RollingUpdate');
    if (strategy.get('type') !== 'RollingUpdate') return;
    strategy.within('rollingUpdate', (update) => {
      update.default('partition', 0);
      update.default('maxUnavailable', 1);
    });
  },
  'autoscaling/v1.HorizontalPodAutoscaler': (autoscaler) => {
    // What the first version has no room for is kept in an annotation.
    const annotations = autoscaler.below('metadata').get('annotations');
    if (fieldAt(annotations, 'autoscaling.alpha.kubernetes.io/metrics') !== undefined) return;
    autoscaler.within('spec', (spec) => spec.default('targetCPUUtilizationPercentage', 80));
  },
  'autoscaling/v2.HorizontalPodAutoscalerBehavior': (behavior) => {
    const perPeriod = (type: string, value: number): Json => ({ type, value, periodSeconds: 15 });
    behavior.within('scaleUp', (rules) => {
      rules.default('stabilizationWindowSeconds', 0);
      rules.default('selectPolicy', 'Max');
      rules.default('policies', [perPeriod('Pods', 4), perPeriod('Percent', 100)]);
    });
    behavior.within('scaleDown', (rules) => {
      rules.default('selectPolicy', 'Max');
      rules.default('policies', [perPeriod('Percent', 100)]);
    });
  },
  'autoscaling/v2.HorizontalPodAutoscalerSpec': (spec) => {
    spec.default('minReplicas', 1);
    const target = { type: 'Utilization', averageUtilization: 80 };
    spec.default('metrics', [{ type: 'Resource', resource: { name: 'cpu', target } }]);
  },
  'batch/v1.Job': (job) => {
    job.within('spec', (spec) => {
      if (spec.get('parallelism') === undefined) spec.default('completions', 1);
      spec.default('parallelism', 1);
      spec.default('backoffLimit', spec.get('backoffLimitPerIndex') === undefined ? 6 : 2_147_483_647);
      spec.default('completionMode', 'NonIndexed');
      spec.default('suspend', false);
      spec.default(
        'podReplacementPolicy',
        spec.get('podFailurePolicy') === undefined ? 'TerminatingOrFailed' : 'Failed',
      );
      spec.default('manualSelector', false);
    });
    mirrorTemplateLabels(job);
  },
  'core/v1.Container': fillContainer,
  'core/v1.EphemeralContainer': fillContainer,
  'core/v1.LimitRangeItem': (item) => {
    if (item.get('type') !== 'Container') return;
    copyMissing(item, 'max', 'default');
    copyMissing(item, 'default', 'defaultRequest');
    copyMissing(item, 'min', 'defaultRequest');
  },
  'core/v1.Namespace': (namespace) => {
    namespace.within('metadata', (metadata) => {
      const name = metadata.get('name');
      const labels = metadata.get('labels');
      if (name === undefined) return;
      metadata.set('labels', { ...(isJsonObject(labels) ? labels : {}), 'kubernetes.io/metadata.name': name });
    });
  },
  'core/v1.Pod': (pod) => {
    pod.within('spec', (spec) => {
      spec.default('enableServiceLinks', true);
      const isHostNetwork = spec.get('hostNetwork') === true;
      for (const list of ['containers', 'initContainers']) {
        spec.eachOf(list, (container) => {
          container.within('resources', (resources) => copyMissing(resources, 'limits', 'requests'));
          if (isHostNetwork) {
            container.eachOf('ports', (port) => port.default('hostPort', port.get('containerPort') ?? 0));
          }
        });
      }
    });
  },
  'core/v1.PodSpec': (spec) => {
    const account = spec.get('serviceAccountName') ?? spec.get('serviceAccount');
    if (account === undefined) return;
    spec.set('serviceAccountName', account);
    spec.set('serviceAccount', account);
  },
  'core/v1.ReplicationController': (controller) => {
    mirrorTemplateLabels(controller);
    controller.within('spec', (spec) => {
      spec.default('replicas', 1);
      const labels = templateLabels(spec);
      if (labels !== undefined) spec.default('selector', labels);
    });
  },
  'core/v1.ServiceSpec': (spec) => {
    spec.default('sessionAffinity', 'None');
    if (spec.get('sessionAffinity') === 'ClientIP') {
      spec.within('sessionAffinityConfig', (config) =>
        config.within('clientIP', (client) => client.default('timeoutSeconds', 3 * HOUR_SECONDS)),
      );
    } else spec.remove('sessionAffinityConfig');
    spec.default('type', 'ClusterIP');
    const type = spec.get('type');
    spec.eachOf('ports', (port) => {
      port.default('protocol', 'TCP');
      const target = port.get('targetPort');
      if (target === undefined || target === 0 || target === '') port.set('targetPort', port.get('port') ?? 0);
    });
    if (type === 'NodePort' || type === 'LoadBalancer' || spec.get('externalIPs') !== undefined) {
      spec.default('externalTrafficPolicy', 'Cluster');
    }
    if (type !== 'ExternalName') spec.default('internalTrafficPolicy', 'Cluster');
    if (type === 'LoadBalancer') spec.default('allocateLoadBalancerNodePorts', true);
  },
  'core/v1.Volume': (volume) => {
    if (volume.given().every((field) => field === 'name')) volume.set('emptyDir', {});
    if (volume.get('image') === undefined) return;
    volume.within('image', (image) => image.default('pullPolicy', pullPolicyOf(image.get('reference'))));
  },
  'networking/v1.NetworkPolicySpec': (spec) => {
    spec.default('policyTypes', spec.get('egress') === undefined ? ['Ingress'] : ['Ingress', 'Egress']);
  },
  'rbac/v1.Subject': (subject) => {
    if (subject.get('kind') === 'User' || subject.get('kind') === 'Group') subject.default('apiGroup', RBAC);
  },
  'resource/v1.DeviceSubRequest': fillDeviceRequest,
  'resource/v1.ExactDeviceRequest': fillDeviceRequest,
};

function fillContainer(container: Fields): void {
  container.default('imagePullPolicy', pullPolicyOf(container.get('image')));
  container.default('terminationMessagePath', '/dev/termination-log');
  container.default('terminationMessagePolicy', 'File');
}

function fillDeviceRequest(request: Fields): void {
  request.default('allocationMode', 'ExactCount');
  if (request.get('allocationMode') === 'ExactCount') request.default('count', 1);
}

/** Of an image without a tag and of `latest`; a digest alone is no `latest`. */
function pullPolicyOf(image: Json | undefined): string {
  if (typeof image !== 'string') return 'IfNotPresent';
  const [name = '', digest] = image.split('@');
  const tag = /:([^:/]+)$/.exec(name)?.[1];
  const isLatest = tag === 'latest' || (tag === undefined && digest === undefined);
  return isLatest && image !== '' ? 'Always' : 'IfNotPresent';
}

function copyMissing(fields: Fields, from: string, to: string): void {
  const given = fields.get(from);
  const own = fields.get(to);
  if (isJsonObject(given)) fields.set(to, { ...given, ...(isJsonObject(own) ? own : {}) });
}

function templateLabels(spec: Fields): Json | undefined {
  return spec.get('template') === undefined ? undefined : spec.below('template').below('metadata').get('labels');
}

function mirrorTemplateLabels(object: Fields): void {
  const labels = templateLabels(object.below('spec'));
  if (labels !== undefined) object.within('metadata', (metadata) => metadata.default('labels', labels));
}

function byField(
  table: Readonly<Record<string, Readonly<Record<string, Json>>>>,
): Readonly<Record<string, readonly (readonly [string, Json])[]>> {
  return Object.fromEntries(Object.entries(table).map(([type, fields]) => [type, Object.entries(fields)]));
}
