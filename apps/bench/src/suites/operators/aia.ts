import { aiaCost, type ContextOperator, channelInSpaceTime, spaceTimeInChannel } from '@saccade/aia';
import { product } from '@saccade/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';
import { normalInput } from '../support/inputs.ts';
import { aiaSamples } from './aiaReference.ts';
import { comparedWithExplicit, type OperatorFactory, type OperatorWork, outputShape } from './operator.ts';
import { CHANNELS, latticeOf } from './point.ts';

const AXES = ['channel', 'time', 'height', 'width'] as const;

/**
 * The gates CinST and STinC of Attention-in-Attention on a clip [B, T, H, W, C] of as many tokens, whose features are q: a
 * gate takes no keys and values, and has no heads. Without the batch normalisation of its published form, so that the
 * result of a token depends on nothing but its own clip. Gradients reach the four filters too.
 */
export const aiaGates: OperatorFactory = (point, tokens, bench) => {
  const { clip } = latticeOf(point.tokens);
  const shape = [point.batch, ...clip, CHANNELS] as tf.Tensor5D['shape'];
  const filters = AXES.map((axis) => normalInput(`${axis} gate`, [3, 3, 3, 2, 1], { std: Math.sqrt(2 / 27) }));
  const gate = (operator: ContextOperator & ('CinST' | 'STinC')): OperatorWork => {
    const cost = aiaCost({ operators: [operator], channels: CHANNELS, grid: clip, batchNorm: false });
    return {
      name: `AIA ${operator}`,
      inputs: [tokens.q, ...filters],
      outputShape: outputShape(point),
      apply([x, ...own]) {
        const map = tf.reshape(x as tf.Tensor, shape) as tf.Tensor5D;
        const [channel, time, height, width] = own.map((filter) => ({ filter: filter as tf.Tensor5D })) as Gates;
        const weights = { channel, time, height, width };
        const y = operator === 'CinST' ? channelInSpaceTime(map, weights) : spaceTimeInChannel(map, weights);
        return tf.reshape(y, [point.batch, product(clip), CHANNELS]);
      },
      samples: () =>
        aiaSamples(
          point,
          operator,
          tokens.q.values,
          filters.map(({ values }) => values),
        ),
      explicit: ['wasm', 'webgpu'].includes(bench.backend) && comparedWithExplicit(point, bench),
      // The filters of the inner gate move features past each other in the maxima of the outer one.
      kinks: true,
      params: cost.params,
      macs: point.batch * cost.macs,
    };
  };
  return [gate('CinST'), gate('STinC')];
};

type Gate = { readonly filter: tf.Tensor5D };
type Gates = [channel: Gate, time: Gate, height: Gate, width: Gate];
