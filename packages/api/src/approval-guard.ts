import type { KubeObject } from '@plumb/core';
import { APPROVAL, GROUP } from './names.ts';

const NAME = `approvals.${GROUP}`;

/**
 * What makes an Approval worth something: the API server itself lets nobody approve in another one's name, in a group that
 * one is not in, or change an approval that was given. A ValidatingAdmissionPolicy with its binding; there is no webhook
 * that could be down.
 */
export const APPROVAL_GUARD: readonly KubeObject[] = [
  {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicy',
    metadata: { name: NAME, labels: { 'app.kubernetes.io/part-of': 'plumb' } },
    spec: {
      failurePolicy: 'Fail',
      matchConstraints: {
        resourceRules: [
          { apiGroups: [GROUP], apiVersions: ['*'], operations: ['CREATE', 'UPDATE'], resources: [APPROVAL.plural] },
        ],
      },
      validations: [
        {
          expression: 'object.spec.by == request.userInfo.username',
          messageExpression: "'spec.by must be ' + request.userInfo.username + ', who writes this'",
        },
        {
          expression:
            '!has(object.spec.groups) || object.spec.groups.all(group, has(request.userInfo.groups) && group in request.userInfo.groups)',
          message: 'spec.groups may only name groups that the user is in',
        },
        {
          expression: 'oldObject == null || object.spec == oldObject.spec',
          message: 'an approval is never changed: delete it, or give another one',
        },
      ],
    },
  },
  {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicyBinding',
    metadata: { name: NAME, labels: { 'app.kubernetes.io/part-of': 'plumb' } },
    spec: { policyName: NAME, validationActions: ['Deny'] },
  },
];
