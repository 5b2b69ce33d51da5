import type { JsonObject, KubeObject } from '@plumb/core';
import { APPROVAL, GROUP, HOLD } from './names.ts';

const IN_OWN_NAME = {
  expression: 'object.spec.by == request.userInfo.username',
  messageExpression: "'spec.by must be ' + request.userInfo.username + ', who writes this'",
};

const OWN_GROUPS = {
  expression:
    '!has(object.spec.groups) || object.spec.groups.all(group, has(request.userInfo.groups) && group in request.userInfo.groups)',
  message: 'spec.groups may only name groups that the user is in',
};

/**
 * What makes an Approval or a Hold worth something: the API server itself lets nobody write one in another one's name, in a
 * group that one is not in, or change one that was given. ValidatingAdmissionPolicies with their bindings; there is no webhook
 * that could be down.
 */
export const OWN_NAME_GUARDS: readonly KubeObject[] = [
  ...guard(APPROVAL.plural, [
    IN_OWN_NAME,
    OWN_GROUPS,
    neverChanged('an approval is never changed: delete it, or give another one'),
  ]),
  ...guard(HOLD.plural, [IN_OWN_NAME, neverChanged('a hold is never changed: lift it, or place another one')]),
];

function neverChanged(message: string): JsonObject {
  return { expression: 'oldObject == null || object.spec == oldObject.spec', message };
}

function guard(plural: string, validations: readonly JsonObject[]): readonly KubeObject[] {
  const name = `${plural}.${GROUP}`;
  const metadata = { name, labels: { 'app.kubernetes.io/part-of': 'plumb' } };
  const rule = { apiGroups: [GROUP], apiVersions: ['*'], operations: ['CREATE', 'UPDATE'], resources: [plural] };
  return [
    {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicy',
      metadata,
      spec: { failurePolicy: 'Fail', matchConstraints: { resourceRules: [rule] }, validations },
    },
    {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicyBinding',
      metadata,
      spec: { policyName: name, validationActions: ['Deny'] },
    },
  ];
}
