export { type TemplateOpCostOptions, templateOpSelfAttentionCost } from './cost.ts';
export { type TemplateOpMapOptions, templateOpMaps } from './maps.ts';
export {
  type TemplateOpRecorder,
  TemplateOpSelfAttention,
  type TemplateOpSelfAttentionOptions,
  templateOpMixer,
} from './TemplateOpSelfAttention.ts';
export { type TemplateOpAttentionOptions, templateOpAttention } from './templateOpAttention.ts';
