export * from './applied-object.ts';
export type * from './drift-record.ts';
export type * from './hold-record.ts';
export type { HookRunRecord } from './hook-run-record.ts';
export { RELEASES_WITH_OBJECTS, type ConcludedBatch, type Ledger } from './ledger.ts';
export { openLedger, openLedgerReadOnly } from './open.ts';
export type { DriftQuery, LedgerReader } from './reader.ts';
export * from './release.ts';
export type * from './write-record.ts';
