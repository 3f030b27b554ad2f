export { groupSums, updatedCentroids } from './centroids.ts';
export { type DgCostOptions, dgSelfAttentionCost } from './cost.ts';
export { DgSelfAttention, type DgSelfAttentionOptions, dgAttention, type GroupRecorder } from './DgSelfAttention.ts';
export { type DynamicGroupAttentionOptions, dynamicGroupAttention } from './dynamicGroupAttention.ts';
export { type GroupMapOptions, type GroupMaps, groupMaps } from './maps.ts';
export type { DgAttentionOptions } from './options.ts';
export { type GroupUsage, groupUsage, usageOfSizes } from './usage.ts';
