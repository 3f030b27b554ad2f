import { gridTokens } from '@saccade/nn';
import { structAttention, structureMaps } from '@saccade/structsa';
import * as tf from '@tensorflow/tfjs-core';
import type { Values } from '../compare.ts';
import type { Handler } from '../handler.ts';
import { gridOf, layerOf, projections } from './layer.ts';

/** Attention, dynamic kernels and merged kernels (equation 21) of every query, and what they must add up to. */
export const attentionMap: Handler = {
  family: 'structsa',
  kind: /^attention map/,
  async replay(golden, checks) {
    using layer = layerOf(golden);
    const grid = gridOf(golden);
    const { heads, stride } = layer;
    const queries = Array.from({ length: gridTokens(grid) }, (_, i) => i);
    const computed = tf.tidy(() => {
      const x = golden.tensor<tf.Tensor3D>('input');
      const [q, k, v] = projections(layer, x);
      const [convK, convV] = [layer.convK.value, layer.convV.value];
      const maps = structureMaps(q, k, convK, convV, { grid, heads, stride, queries });
      return {
        output: layer.forward(x, grid),
        'tap.v': v,
        'tap.A': maps.attention,
        'tap.pre_proj': structAttention(q, k, v, convK, convV, { grid, heads, stride }),
        kappa: maps.kappa,
        merged: maps.merged,
      };
    });
    const kappa: Values = { shape: computed.kappa.shape, data: await computed.kappa.data() };
    const merged: Values = { shape: computed.merged.shape, data: await computed.merged.data() };
    await checks.tensors('forward', computed);
    // The same maps once more, from their definition: tap m of the window at j falls on position land[j, m].
    checks.values('forward', 'merged', scatter(kappa, golden.get('tap.land'), merged.shape));
    checks.values('forward', 'tap.pre_proj', aggregate(merged, golden.get('tap.v'), heads));
  },
};

/** Sums kappa [B, N, L, C, M] (shared: [B, h, N, L, M]) over all (j, m) that fall on l. */
function scatter(kappa: Values, land: Values, mergedShape: readonly number[]): Values {
  const [length, taps] = land.shape as [number, number];
  const perChannel = kappa.shape[2] === length && kappa.shape[4] === taps && mergedShape[1] === mergedShape[2];
  const channels = perChannel ? (kappa.shape[3] as number) : 1;
  const tokens = mergedShape[perChannel ? 2 : 3] as number;
  // Rows are (batch, query) or (batch, head, query); a row holds [L, C, M] or [L, M].
  const rows = kappa.data.length / (length * channels * taps);
  const data = new Float64Array(rows * tokens * channels);
  for (let row = 0; row < rows; row++) {
    for (let j = 0; j < length; j++) {
      for (let c = 0; c < channels; c++) {
        for (let m = 0; m < taps; m++) {
          const position = Number(land.data[j * taps + m]);
          if (position < 0) continue;
          data[(row * tokens + position) * channels + c]! += Number(
            kappa.data[((row * length + j) * channels + c) * taps + m],
          );
        }
      }
    }
  }
  return { shape: mergedShape, data };
}

/** `y_ic = sum_l merged_ilc v_lc`: merged [B, N, N, C] (shared: [B, h, N, N]) and v [B, N, C] -> [B, N, C]. */
function aggregate(merged: Values, v: Values, heads: number): Values {
  const [batch, tokens, channels] = v.shape as [number, number, number];
  const perChannel = merged.shape[1] === tokens && merged.shape[3] === channels;
  const data = new Float64Array(batch * tokens * channels);
  for (let b = 0; b < batch; b++) {
    for (let i = 0; i < tokens; i++) {
      for (let c = 0; c < channels; c++) {
        const head = Math.floor((c * heads) / channels);
        for (let l = 0; l < tokens; l++) {
          const weight = perChannel
            ? merged.data[((b * tokens + i) * tokens + l) * channels + c]
            : merged.data[((b * heads + head) * tokens + i) * tokens + l];
          data[(b * tokens + i) * channels + c]! += Number(weight) * Number(v.data[(b * tokens + l) * channels + c]);
        }
      }
    }
  }
  return { shape: v.shape, data };
}
