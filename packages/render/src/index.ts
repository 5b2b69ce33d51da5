export * from './choose-renderer.ts';
export * from './inputs-key.ts';
export * from './renderer.ts';
export { decodeYaml, type YamlDocument } from './yaml/decode.ts';
export { decodeText } from './yaml/text.ts';
