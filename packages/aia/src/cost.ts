import type { Cost, GateCostContext } from '@saccade/nn';
import type { ContextOperator } from './ContextAttention.ts';

/** On what the cost of Attention-in-Attention depends, for one clip. */
export interface AIACostOptions extends GateCostContext {
  /** the operators, one after the other or side by side */
  readonly operators: readonly ContextOperator[];
  readonly batchNorm?: boolean;
}

/**
 * Cost for one clip of [T, H, W] positions with C channels. A gate has 54 weights (and 2 of its norm) and 54 MACs for each
 * of its values: THW for the channel gate, HWC + TWC + THC for those of space and time. Products with gates are not
 * counted, as nowhere else. Activations: the clip, the scaled clip inside of CinST and STinC, the result, and the gates.
 */
export function aiaCost({ operators, channels, grid, batchNorm = true }: AIACostOptions): Cost {
  const [frames, height, width] = grid;
  const channelGate = frames * height * width;
  const spaceTimeGates = channels * (height * width + frames * width + frames * height);
  const values = {
    C: channelGate,
    ST: spaceTimeGates,
    CinST: channelGate + spaceTimeGates,
    STinC: channelGate + spaceTimeGates,
  };
  const gates = { C: 1, ST: 3, CinST: 4, STinC: 4 };
  const clip = channelGate * channels;
  return {
    params: operators.reduce((total, operator) => total + gates[operator] * (batchNorm ? 56 : 54), 0),
    macs: operators.reduce((total, operator) => total + 54 * values[operator], 0),
    activationBytes:
      4 * Math.max(...operators.map((operator) => (operator.includes('in') ? 3 : 2) * clip + 3 * values[operator])),
  };
}
