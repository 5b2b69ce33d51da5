export { compareFiles, type ComparedObject, type FilesComparison, type NormalisedObject } from './compare-files.ts';
export {
  compareObjects,
  type CompareOptions,
  type Normalised,
  type ObjectComparison,
  type OfflineChange,
} from './compare-objects.ts';
export { LEFT_OUT_REASONS, type LeftOutReason } from './left-out.ts';
export { secretMask, type SecretMask } from './secret-tag.ts';
