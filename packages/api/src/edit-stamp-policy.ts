import {
  FIELD_MANAGER,
  PART_OF_LABEL,
  TOUCHED_AS_ANNOTATION,
  TOUCHED_BY_ANNOTATION,
  type JsonObject,
  type KubeObject,
} from '@plumb/core';
import { GROUP } from './names.ts';

/** Of the policy and of its binding. */
export const EDIT_STAMP_NAME = `edits.${GROUP}`;

/**
 * Lets the API server itself write on a managed object who changed it: a MutatingAdmissionPolicy with its binding. There
 * is no webhook that could be down, and what goes wrong with the policy leaves the write as it was. `EditStamp` of the
 * core says what the annotations mean.
 *
 * Left out are what only tries (dry runs) or changes nothing, else a client that repeats itself would write each time;
 * what the control plane does by itself; and what Plumb does. `self` is the user as whom the engine writes; where it acts
 * as the service account of an application it is told by its field manager. Writes through a subresource cannot be
 * stamped: a Scale has neither labels nor annotations of its own.
 */
export function editStampPolicy(self: string): readonly KubeObject[] {
  const labels = { 'app.kubernetes.io/part-of': 'plumb' };
  return [
    {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'MutatingAdmissionPolicy',
      metadata: { name: EDIT_STAMP_NAME, labels },
      spec: {
        failurePolicy: 'Ignore',
        reinvocationPolicy: 'Never',
        matchConstraints: {
          objectSelector: { matchExpressions: [{ key: PART_OF_LABEL, operator: 'Exists' }] },
          resourceRules: [
            { apiGroups: BUILT_IN_GROUPS, apiVersions: ['*'], operations: ['CREATE', 'UPDATE'], resources: ['*'] },
          ],
        },
        matchConditions: [
          { name: 'is-stored', expression: '!(has(request.dryRun) && request.dryRun)' },
          { name: 'is-not-of-the-control-plane', expression: `!(${IS_CONTROL_PLANE})` },
          { name: 'is-not-of-plumb', expression: `!(${isPlumb(self)})` },
          { name: 'changes-something', expression: CHANGES_SOMETHING },
        ],
        variables: VARIABLES,
        mutations: [{ patchType: 'ApplyConfiguration', applyConfiguration: { expression: STAMPED } }],
      },
    },
    {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'MutatingAdmissionPolicyBinding',
      metadata: { name: EDIT_STAMP_NAME, labels },
      spec: { policyName: EDIT_STAMP_NAME },
    },
  ];
}

/**
 * Custom resources are left out. The API server answers 503 to a write that a mutating policy matches while it does not
 * know the schema of the kind (it looks every five seconds), and `failurePolicy: Ignore` does not cover that.
 */
const BUILT_IN_GROUPS = [
  '',
  'apps',
  'autoscaling',
  'batch',
  'coordination.k8s.io',
  'discovery.k8s.io',
  'networking.k8s.io',
  'node.k8s.io',
  'policy',
  'rbac.authorization.k8s.io',
  'scheduling.k8s.io',
  'storage.k8s.io',
];

/** Controllers, nodes and the API server; but not `system:admin`, who is a person in some distributions, nor operators. */
const IS_CONTROL_PLANE = [
  "request.userInfo.username.startsWith('system:')",
  "request.userInfo.username != 'system:admin'",
  "(!request.userInfo.username.startsWith('system:serviceaccount:')" +
    " || request.userInfo.username.startsWith('system:serviceaccount:kube-system:'))",
].join(' && ');

const MANAGER = "(has(request.options.fieldManager) ? request.options.fieldManager : '')";

function isPlumb(self: string): string {
  const isAsSelf = `request.userInfo.username == ${JSON.stringify(self)}`;
  return `${MANAGER} == '${FIELD_MANAGER}' || ${MANAGER}.startsWith('${FIELD_MANAGER}-') && ${isAsSelf}`;
}

/**
 * Who owns what, *and* the content. An apply that changes nothing has another time among the owners; an update that does
 * not name what the server fills in (the address of a Service) differs in its content. Two writes as one manager within
 * a second have the same owners: then another user counts, or the stamp would name the first of them for both.
 */
const CHANGES_SOMETHING = [
  'oldObject == null || (object.metadata.?managedFields != oldObject.metadata.?managedFields',
  ` || request.userInfo.username != ${annotation(TOUCHED_BY_ANNOTATION)}) && (`,
  ['labels', 'annotations', 'finalizers', 'ownerReferences']
    .map((field) => `object.metadata.?${field} != oldObject.metadata.?${field}`)
    .join(' || '),
  " || object.exists(k, !(k in ['metadata', 'status']) && (!(k in oldObject) || object[k] != oldObject[k]))",
  " || oldObject.exists(k, !(k in ['metadata', 'status']) && !(k in object)))",
].join('');

const entry = (e: string): string => `${e}.manager + ' ' + ${e}.operation + ' ' + ${e}.?subresource.orValue('')`;
const isUntouched = `variables.before.exists(b, ${entry('b')} == ${entry('e')} && b.?time == e.?time)`;

/** The server notes the owners before it asks its policies, so that the entry of this very write is there to be seen. */
const VARIABLES: readonly JsonObject[] = Object.entries({
  user: 'request.userInfo.username',
  before: 'oldObject == null ? [] : oldObject.metadata.?managedFields.orValue([])',
  stampedBy: annotation(TOUCHED_BY_ANNOTATION),
  stampedAs: `${annotation(TOUCHED_AS_ANNOTATION)}.split(' ', 5)`,
  // The entry that this write made or made anew; those that lost fields to it have changed too. None is there where it
  // only removed fields.
  wrote:
    'object.metadata.?managedFields.orValue([]).filter(e, !(e in variables.before) && ' +
    `(${MANAGER} == '' ? !${isUntouched} : e.manager == ${MANAGER}))`,
  isKnown: 'variables.wrote.size() == 1',
  manager: `string(variables.isKnown ? variables.wrote[0].manager : ${MANAGER})`,
  operation: "string(variables.isKnown ? variables.wrote[0].operation : 'Update')",
  time: "string(variables.isKnown ? variables.wrote[0].?time.orValue('-') : '-')",
  over: "string(oldObject == null ? '-' : oldObject.metadata.resourceVersion)",
  // What the manager had before, and whether the last stamp is of its last write.
  had: "variables.before.filter(b, b.manager == variables.manager && b.operation == variables.operation && b.?subresource.orValue('') == '')",
  isStamped:
    'variables.stampedAs.size() == 5 && variables.had.exists(b, b.operation == variables.stampedAs[2]' +
    " && b.?time.orValue('') == variables.stampedAs[3] && b.manager == variables.stampedAs[4])",
  since:
    "string(variables.had.size() == 0 ? '-' : !variables.isStamped ? variables.over" +
    ' : variables.stampedBy == variables.user ? variables.stampedAs[1] : variables.stampedAs[0])',
}).map(([name, expression]) => ({ name, expression }));

function annotation(name: string): string {
  return `string(oldObject == null ? '' : oldObject.metadata.?annotations[?'${name}'].orValue(''))`;
}

const STAMPED =
  `Object{metadata: Object.metadata{annotations: {'${TOUCHED_BY_ANNOTATION}': variables.user, '${TOUCHED_AS_ANNOTATION}': ` +
  ['over', 'since', 'operation', 'time', 'manager'].map((name) => `variables.${name}`).join(" + ' ' + ") +
  '}}}';
