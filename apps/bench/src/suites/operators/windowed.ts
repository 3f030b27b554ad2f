import { mergeWindows, partitionWindows, plainAttention as plainMixer, windowed } from '@saccade/nn';
import type * as tf from '@tensorflow/tfjs-core';
import type { Samples } from '../support/samples.ts';
import { betweenProjections, comparedWithExplicit, type OperatorFactory, outputShape } from './operator.ts';
import { plainAttentionOf } from './plain.ts';
import { CHANNELS, latticeOf, type OperatorPoint, type Tokens } from './point.ts';
import { attend, headOf, tokenSamples } from './reference.ts';

/** Side of the windows; all grids are whole windows. */
const SIDE = 7;

export const WINDOWED = 'windowed attention';

/** Plain attention inside windows of 7 x 7 that do not overlap, as UniFormer's windows are. */
export const windowedAttention: OperatorFactory = (point, tokens, bench) => {
  const heads = CHANNELS / point.headDim;
  const { image } = latticeOf(point.tokens);
  const layer = windowed(plainMixer(), SIDE).cost({ dim: CHANNELS, heads, grid: image });
  return [
    {
      name: WINDOWED,
      inputs: [tokens.q, tokens.k, tokens.v],
      outputShape: outputShape(point),
      apply(tensors) {
        const [q, k, v] = tensors.map((x) => partitionWindows(x as tf.Tensor3D, image, SIDE)) as [
          tf.Tensor3D,
          tf.Tensor3D,
          tf.Tensor3D,
        ];
        return mergeWindows(plainAttentionOf(q, k, v, heads), image, SIDE);
      },
      samples: () => windowedSamples(point, tokens),
      explicit: bench.backend === 'webgpu' && comparedWithExplicit(point, bench),
      ...betweenProjections(layer, point),
    },
  ];
};

/** Plain attention over the tokens of the window that a token lies in. */
function windowedSamples(point: OperatorPoint, { q, k, v }: Tokens): Samples {
  const [height, width] = latticeOf(point.tokens).image;
  return tokenSamples(point, (place, head) => {
    const [sample, token] = place;
    const corner = (position: number) => position - (position % SIDE);
    const [top, left] = [corner(Math.floor(token / width)), corner(token % width)];
    const window: number[] = [];
    for (let row = top; row < Math.min(top + SIDE, height); row++) {
      for (let column = left; column < left + SIDE; column++) window.push(row * width + column);
    }
    const rows = (values: ArrayLike<number>) => window.map((other) => headOf(values, point, [sample, other], head));
    return attend(headOf(q.values, point, place, head), rows(k.values), rows(v.values));
  });
}
