export { type LisaCostOptions, lisaSelfAttentionCost } from './cost.ts';
export {
  type LisaRecorder,
  LisaSelfAttention,
  type LisaSelfAttentionOptions,
  lisaMixer,
} from './LisaSelfAttention.ts';
export { type LisaAttentionOptions, lisaAttention } from './lisaAttention.ts';
export { type LisaMapOptions, lisaMaps } from './maps.ts';
