export type { LisaCompute } from './compute.ts';
export { type LisaCostOptions, lisaSelfAttentionCost } from './cost.ts';
export type { KernelizedSums } from './kernelized.ts';
export {
  type LisaOptions,
  type LisaRecorder,
  LisaSelfAttention,
  type LisaSelfAttentionOptions,
  lisa,
} from './LisaSelfAttention.ts';
export {
  kernelizedSums,
  type LisaAttentionOptions,
  type LisaMode,
  type LisaTables,
  lisaAttention,
} from './lisaAttention.ts';
export { type LisaMapOptions, type LisaMaps, lisaMaps, tablePictures } from './maps.ts';
export type { QkNorm } from './qkNorm.ts';
export { type ResizeTablesOptions, resizeTables } from './resize.ts';
export { type ResizeLisaTablesOptions, resizeLisaTables } from './resizeState.ts';
export { type LisaGrid, type LisaPadding, tableShape } from './tables.ts';
