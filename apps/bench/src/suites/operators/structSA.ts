import { structAttention, structSelfAttentionCost } from '@saccade/structsa';
import { depthwiseTokens } from '@saccade/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';
import { normalInput } from '../support/inputs.ts';
import { kernelRefusal } from '../support/kernels.ts';
import { once, type Samples } from '../support/samples.ts';
import {
  betweenProjections,
  comparedWithExplicit,
  mapsOf,
  type OperatorFactory,
  type OperatorWork,
  outputShape,
} from './operator.ts';
import { CHANNELS, latticeOf, type OperatorPoint, type Tokens } from './point.ts';
import { attend, headOf, tokenSamples } from './reference.ts';

/** D and the side of detectors and aggregators: those of StructViT-S-4-1. */
const DETECTORS = 4;
const SIDE = 3;

/** Structural self-attention: explicit, and with its kernels. Gradients reach both sets of filters too. */
export const structSA: OperatorFactory = (point, tokens, bench) => {
  const heads = CHANNELS / point.headDim;
  const grid = latticeOf(point.tokens).image;
  const filter = (name: string) => normalInput(name, [SIDE, SIDE, CHANNELS, DETECTORS], { std: 1 / SIDE });
  const [convK, convV] = [filter('convK'), filter('convV')];
  const kernel = [SIDE, SIDE];
  const layer = structSelfAttentionCost({
    ...{ dim: CHANNELS, heads, grid, detectors: DETECTORS, stride: 1 },
    ...{ kernelK: kernel, kernelV: kernel },
  });
  const work: Omit<OperatorWork, 'name'> = {
    inputs: [tokens.q, tokens.k, tokens.v, convK, convV],
    outputShape: outputShape(point),
    apply([q, k, v, keys, values]) {
      const filters = [keys as tf.Tensor4D, values as tf.Tensor4D] as const;
      return structAttention(q as tf.Tensor3D, k as tf.Tensor3D, v as tf.Tensor3D, ...filters, { grid, heads });
    },
    samples: once(() => structSamples(point, tokens, convK.values, convV.values)),
    ...betweenProjections(layer, point),
  };
  const refusal = kernelRefusal(() =>
    depthwiseTokens(tf.ones([1, 4, heads]), tf.ones([1, 1, heads, 1]), { grid: [2, 2], heads }),
  );
  // The sets are visited one after the other: as many maps as plain attention has.
  const maps = mapsOf(point, point.direction === 'forward' ? 2 : 5);
  const name = 'StructSA (fused)';
  return [
    { ...work, name: 'StructSA (explicit)', kernels: 'explicit', maps },
    refusal === undefined
      ? { ...work, name, kernels: 'fused', explicit: comparedWithExplicit(point, bench, maps) }
      : { name, role: 'saccade', reason: refusal },
  ];
};

/**
 * The definition: attention over D N keys and values, `K'[j, d] = sum over taps of convK[tap, c, d] k[j + tap, c]`, zeros
 * beyond the borders, and V' likewise.
 */
function structSamples(
  point: OperatorPoint,
  { q, k, v }: Tokens,
  convK: ArrayLike<number>,
  convV: ArrayLike<number>,
): Samples {
  const known = new Map<string, Float64Array[]>();
  const sets = (what: string, values: ArrayLike<number>, filter: ArrayLike<number>, sample: number, head: number) => {
    const key = `${what} ${sample} ${head}`;
    const found = known.get(key) ?? convolved(point, values, filter, sample, head);
    known.set(key, found);
    return found;
  };
  return tokenSamples(point, (place, head) => {
    const keys = sets('k', k.values, convK, place[0], head);
    return attend(headOf(q.values, point, place, head), keys, sets('v', v.values, convV, place[0], head));
  });
}

/** One head of a sample, convolved with each of the D filters: D N vectors of d channels. */
function convolved(
  point: OperatorPoint,
  values: ArrayLike<number>,
  filter: ArrayLike<number>,
  sample: number,
  head: number,
): Float64Array[] {
  const { tokens, headDim } = point;
  const [height, width] = latticeOf(tokens).image;
  const half = (SIDE - 1) / 2;
  return Array.from({ length: DETECTORS * tokens }, (_, entry) => {
    const [d, token] = [Math.floor(entry / tokens), entry % tokens];
    const sum = new Float64Array(headDim);
    for (let tap = 0; tap < SIDE * SIDE; tap++) {
      const row = Math.floor(token / width) + Math.floor(tap / SIDE) - half;
      const column = (token % width) + (tap % SIDE) - half;
      if (row < 0 || row >= height || column < 0 || column >= width) continue;
      const from = (sample * tokens + row * width + column) * CHANNELS + head * headDim;
      const own = tap * CHANNELS + head * headDim;
      for (let e = 0; e < headDim; e++) {
        const weight = filter[(own + e) * DETECTORS + d] as number;
        sum[e] = (sum[e] as number) + weight * (values[from + e] as number);
      }
    }
    return sum;
  });
}
