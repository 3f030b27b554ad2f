export { type DgCostOptions, dgSelfAttentionCost } from './cost.ts';
export {
  type DgRecorder,
  DgSelfAttention,
  type DgSelfAttentionOptions,
  dgMixer,
} from './DgSelfAttention.ts';
export { type DgAttentionOptions, dgAttention } from './dgAttention.ts';
export { type DgMapOptions, dgMaps } from './maps.ts';
