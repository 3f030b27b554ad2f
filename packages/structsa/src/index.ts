export { type StructSACostOptions, structSelfAttentionCost } from './cost.ts';
export { type StructureMapOptions, type StructureMaps, structureMaps } from './maps.ts';
export {
  type SharedFilters,
  type StructSAOptions,
  StructSelfAttention,
  type StructSelfAttentionOptions,
  type StructureRecorder,
  structSA,
} from './StructSelfAttention.ts';
export { type StructAttentionOptions, type StructFilter, structAttention, structureSets } from './structAttention.ts';
