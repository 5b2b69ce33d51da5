// What a program needs that shows or writes these kinds but never decodes them: everything but the schema library.
export * from './own-name-guard.ts';
export * from './crds.ts';
export * from './duration.ts';
export * from './edit-stamp-policy.ts';
export type * from './kinds.ts';
export * from './names.ts';
