export {
  AIA_VARIANTS,
  type AIAVariant,
  AttentionInAttention,
  type AttentionInAttentionOptions,
  aia,
} from './AttentionInAttention.ts';
export {
  type ChannelWeights,
  channelAttention,
  channelInSpaceTime,
  type GateMaps,
  type GateReceiver,
  type SpaceTimeWeights,
  type STinCVersion,
  spaceTimeAttention,
  spaceTimeInChannel,
} from './attention.ts';
export { ContextAttention, type ContextAttentionOptions, type ContextOperator } from './ContextAttention.ts';
export { type AIACostOptions, aiaCost } from './cost.ts';
export { axisGate, type GateAxis, type GateWeights } from './gate.ts';
