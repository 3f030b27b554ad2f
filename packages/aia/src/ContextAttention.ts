import {
  BatchNorm,
  type FeatureGate,
  fanInUniform,
  type Initializer,
  kaimingNormal,
  Module,
  normal,
  type Parameter,
  type WeightLayout,
} from '@saccade/nn';
import { ConfigError, Rng } from '@saccade/tensor-ops';
import type * as tf from '@tensorflow/tfjs-core';
import {
  channelAttention,
  channelInSpaceTime,
  type GateReceiver,
  type STinCVersion,
  spaceTimeAttention,
  spaceTimeInChannel,
} from './attention.ts';
import type { GateAxis, GateWeights } from './gate.ts';

/** The four operators: channel, space-time, and each inside of the other. */
export type ContextOperator = 'C' | 'ST' | 'CinST' | 'STinC';

/** Options of {@link ContextAttention}. */
export interface ContextAttentionOptions {
  readonly operator: ContextOperator;
  /** batch normalisation in every gate, as all published networks have it; default true */
  readonly batchNorm?: boolean;
  /** of STinC; default `august` */
  readonly stincVersion?: STinCVersion;
  /** seeds the weights; default: seed 0 */
  readonly rng?: Rng;
}

/**
 * One operator of Attention-in-Attention with its weights, [B, T, H, W, C] -> the same shape; any T, H, W and C.
 *
 * State, under the public code's names: `{C,T,H,W}_conv.weight` [1, 2, 3, 3, 3] and `{C,T,H,W}_bn.*` [1], as far as the
 * operator has those gates: C has 56 trained values, ST 168, CinST and STinC 224. The weights start as in that code, whose
 * CinST leaves W_conv to PyTorch's default. See {@link channelInSpaceTime} and its neighbours for the mathematics.
 */
export class ContextAttention extends Module implements FeatureGate {
  readonly operator: ContextOperator;
  readonly stincVersion: STinCVersion;
  readonly #gates: Readonly<Partial<Record<GateAxis, Gate>>>;
  /** Set it to receive the gates of every forward pass; unset it when done. */
  recorder: GateReceiver | undefined;

  /** @throws ConfigError for an operator or version that does not exist */
  constructor({ operator, batchNorm = true, stincVersion = 'august', rng = new Rng(0) }: ContextAttentionOptions) {
    super();
    const axes = AXES[operator];
    if (axes === undefined) throw new ConfigError('operator', Object.keys(AXES).join(', '), operator);
    if (stincVersion !== 'august' && stincVersion !== 'june') {
      throw new ConfigError('stincVersion', 'august or june', stincVersion);
    }
    this.operator = operator;
    this.stincVersion = stincVersion;
    this.#gates = Object.fromEntries(
      axes.map((axis) => {
        const letter = LETTERS[axis];
        const filter = new GateFilter(axis, initializer(operator, axis, rng));
        const conv = this.child(`${letter}_conv`, filter);
        return [axis, { conv, norm: batchNorm ? this.child(`${letter}_bn`, new BatchNorm(1)) : undefined }];
      }),
    );
  }

  forward(x: tf.Tensor5D): tf.Tensor5D {
    this.assertUsable();
    const receive = this.recorder;
    switch (this.operator) {
      case 'C':
        return channelAttention(x, this.#weights('channel'), receive);
      case 'ST':
        return spaceTimeAttention(x, this.#weights('time', 'height', 'width'), receive);
      case 'CinST':
        return channelInSpaceTime(x, this.#weights('channel', 'time', 'height', 'width'), receive);
      case 'STinC': {
        const weights = this.#weights('channel', 'time', 'height', 'width');
        return spaceTimeInChannel(x, weights, { version: this.stincVersion, receive });
      }
    }
  }

  #weights<A extends GateAxis>(...axes: A[]): Record<A, GateWeights> {
    const entries = axes.map((axis): [A, GateWeights] => {
      const { conv, norm } = this.#gates[axis] as Gate;
      const normalize = norm && ((logits: tf.Tensor5D) => norm.forward(logits));
      return [axis, { filter: conv.weight.variable as tf.Tensor5D, normalize }];
    });
    return Object.fromEntries(entries) as Record<A, GateWeights>;
  }
}

interface Gate {
  readonly conv: GateFilter;
  readonly norm: BatchNorm | undefined;
}

const AXES: Readonly<Record<ContextOperator, readonly GateAxis[]>> = {
  C: ['channel'],
  ST: ['time', 'height', 'width'],
  CinST: ['channel', 'time', 'height', 'width'],
  STinC: ['channel', 'time', 'height', 'width'],
};

const LETTERS: Readonly<Record<GateAxis, string>> = { channel: 'C', time: 'T', height: 'H', width: 'W' };

/** The filter of a gate: ours [3, 3, 3, 2, 1], PyTorch [1, 2, 3, 3, 3] with the taps in an order of the gate's own. */
class GateFilter extends Module {
  readonly weight: Parameter;

  constructor(axis: GateAxis, init: Initializer) {
    super();
    this.weight = this.parameter('weight', [3, 3, 3, 2, 1], { init, layout: gateLayout(axis) });
  }
}

/**
 * Where the taps of our filter, over the axes that stay in the order T, H, W, C, stand in PyTorch's: it pools and permutes to
 * (T, H, W) for the channel gate, (C, H, W) for time, (T, C, W) for height and (T, H, C) for width.
 */
function gateLayout(axis: GateAxis): WeightLayout {
  const taps = { channel: [2, 3, 4], time: [3, 4, 2], height: [2, 4, 3], width: [2, 3, 4] }[axis];
  const torchShape = () => [1, 2, 3, 3, 3];
  return { torchShape, view: torchShape, order: () => [...taps, 1, 0] };
}

/** The public code's first weights; fan-in is 54, fan-out 27. */
function initializer(operator: ContextOperator, axis: GateAxis, rng: Rng): Initializer {
  const stream = rng.fork(axis);
  const xavier = normal(stream, Math.sqrt(2 / 81));
  if (operator === 'STinC' && axis === 'channel') return xavier;
  if (operator === 'CinST' && (axis === 'time' || axis === 'height')) return xavier;
  // That code initialises H twice and forgets W.
  if (operator === 'CinST' && axis === 'width') return fanInUniform(stream, 54);
  return kaimingNormal(stream, 27);
}
