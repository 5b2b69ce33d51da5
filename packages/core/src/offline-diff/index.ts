export { besidesChanges } from './besides-changes.ts';
export { compareFiles, type ComparedObject, type FilesComparison, type NormalisedObject } from './compare-files.ts';
export {
  compareObjects,
  type CompareOptions,
  type Normalised,
  type ObjectComparison,
  type OfflineChange,
} from './compare-objects.ts';
export { withPlainData } from './comparable.ts';
export { LEFT_OUT_REASONS, type LeftOutReason } from './left-out.ts';
