export * from './own-name-guard.ts';
export * from './crds.ts';
export * from './decode.ts';
export * from './duration.ts';
export * from './edit-stamp-policy.ts';
export type * from './kinds.ts';
export * from './names.ts';
