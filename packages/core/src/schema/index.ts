export { checkSchema, crdSchemas, type CrdSchemas, type SchemaCheck } from './check-schema.ts';
export type { FieldFault } from './field-fault.ts';
export { isNamespaced } from './kind-scope.ts';
