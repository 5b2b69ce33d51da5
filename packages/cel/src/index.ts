export {
  createCel,
  type Cel,
  type CelAnswer,
  type CelExpression,
  type CelFault,
  type CelOptions,
  type CelTypes,
} from './cel.ts';
export { celValue, type CelValue } from './value.ts';
