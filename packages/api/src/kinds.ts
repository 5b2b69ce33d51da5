import type * as z from 'zod';
import type { KubeObject, ObjectMeta } from '@plumb/core';
import type { applicationSpecSchema, applicationStatusSchema } from './application.ts';
import type { approvalSpecSchema } from './approval.ts';
import type { conditionSchema } from './condition.ts';
import type { holdSpecSchema, holdStatusSchema } from './drift.ts';
import type { repositorySpecSchema, repositoryStatusSchema } from './repository.ts';

// Types only: importing this file loads nothing.

type DeepReadonly<T> = T extends readonly (infer Item)[]
  ? readonly DeepReadonly<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> }
    : T;

/** A spec as it is decoded: every default is filled in. */
export type RepositorySpec = DeepReadonly<z.output<typeof repositorySpecSchema>>;
export type ApplicationSpec = DeepReadonly<z.output<typeof applicationSpecSchema>>;

/** A spec as people write it: everything that has a default may be left out. */
export type RepositorySpecInput = DeepReadonly<z.input<typeof repositorySpecSchema>>;
export type ApplicationSpecInput = DeepReadonly<z.input<typeof applicationSpecSchema>>;

export type RepositoryStatus = DeepReadonly<z.output<typeof repositoryStatusSchema>>;
export type ApplicationStatus = DeepReadonly<z.output<typeof applicationStatusSchema>>;

export type ApprovalSpec = DeepReadonly<z.output<typeof approvalSpecSchema>>;

export type HoldSpec = DeepReadonly<z.output<typeof holdSpecSchema>>;
export type HoldStatus = DeepReadonly<z.output<typeof holdStatusSchema>>;

export type EnvironmentSpec = NonNullable<ApplicationSpec['environments']>[number];
export type TargetStatus = NonNullable<ApplicationStatus['environments']>[number];
export type Failure = NonNullable<TargetStatus['failures']>[number];
export type Condition = DeepReadonly<z.output<typeof conditionSchema>>;

/** Both kinds live in a namespace. */
export interface NamespacedMeta extends ObjectMeta {
  readonly namespace: string;
}

export interface Repository extends KubeObject {
  readonly metadata: NamespacedMeta;
  readonly spec: RepositorySpec;
  readonly status?: RepositoryStatus;
}

export interface Application extends KubeObject {
  readonly metadata: NamespacedMeta;
  readonly spec: ApplicationSpec;
  readonly status?: ApplicationStatus;
}

/** What one person approved. */
export interface Approval extends KubeObject {
  readonly metadata: NamespacedMeta;
  readonly spec: ApprovalSpec;
}

/** That edits on the cluster stand for a while. */
export interface Hold extends KubeObject {
  readonly metadata: NamespacedMeta;
  readonly spec: HoldSpec;
  readonly status?: HoldStatus;
}
