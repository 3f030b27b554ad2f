import { dgSelfAttentionCost, dynamicGroupAttention } from '@saccade/dg-attention';
import { dynamicGroups, groupedAttention, mergeHeads, splitHeads } from '@saccade/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';
import { type Input, normalInput } from '../support/inputs.ts';
import type { Samples } from '../support/samples.ts';
import { betweenProjections, comparedWithExplicit, mapsOf, type OperatorFactory, outputShape } from './operator.ts';
import { CHANNELS, latticeOf, type OperatorPoint, rounded, type Tokens } from './point.ts';
import { attend, dot, headOf, headsOf, tokenSamples } from './reference.ts';

/** G and k of the layer. */
const [GROUPS, TOP_K] = [48, 98];
/** Where there are few tokens, there are fewer groups: so many queries in each on average. */
const QUERIES_OF_A_GROUP = 16;

export function groupsOf(tokens: number): number {
  return Math.min(GROUPS, Math.floor(tokens / QUERIES_OF_A_GROUP));
}

/** DG-Attention, with G = min(48, N / 16) groups that select k = min(98, N) keys. Centroids have no gradient. */
export const dgAttention: OperatorFactory = (point, tokens, bench) => {
  const heads = CHANNELS / point.headDim;
  const grid = latticeOf(point.tokens).image;
  const groups = groupsOf(point.tokens);
  const centroids = centroidsOf(heads, groups, point.headDim);
  const layer = dgSelfAttentionCost({ dim: CHANNELS, heads, grid, groups, topK: TOP_K });
  // The mask over all pairs, which is the explicit path, and what runs where there is neither a kernel nor blocks.
  const maps = mapsOf(point, point.direction === 'forward' ? 4 : 8);
  return [
    {
      name: 'DG-Attention',
      inputs: [tokens.q, tokens.k, tokens.v, centroids],
      outputShape: outputShape(point),
      apply([q, k, v, centroids]) {
        const options = { heads, topK: TOP_K };
        return dynamicGroupAttention(
          ...([q, k, v] as [tf.Tensor3D, tf.Tensor3D, tf.Tensor3D]),
          centroids as tf.Tensor3D,
          options,
        );
      },
      samples: () => dgSamples(point, tokens, centroids.values),
      explicit: bench.backend !== 'webgl' && comparedWithExplicit(point, bench, maps),
      ...(bench.backend === 'webgl' && { maps }),
      // The groups as they are: a difference would see queries and keys change theirs, a gradient does not.
      decided([q, k, , centroids]) {
        const [queries, keys] = [splitHeads(q as tf.Tensor3D, heads), splitHeads(k as tf.Tensor3D, heads)];
        const routing = dynamicGroups(queries, keys, centroids as tf.Tensor3D, { topK: TOP_K });
        tf.dispose([queries, keys]);
        return {
          apply(tensors) {
            const [q, k, v] = tensors.slice(0, 3).map((x) => splitHeads(x as tf.Tensor3D, heads)) as [
              tf.Tensor4D,
              tf.Tensor4D,
              tf.Tensor4D,
            ];
            return mergeHeads(groupedAttention(q, k, v, routing));
          },
          dispose: () => tf.dispose([routing.assignment, routing.keys]),
        };
      },
      ...betweenProjections(layer, point),
    },
  ];
};

/** Random directions of about length 1, in multiples of 1/128; see {@link tokensOf} for why. */
function centroidsOf(heads: number, groups: number, size: number): Input {
  const input = normalInput('centroids', [heads, groups, size], { std: 1 / Math.sqrt(size), fixed: true });
  return { ...input, values: rounded(input.values as Float32Array, 128) };
}

/**
 * The definition: a query belongs to the group of the largest `q . e_j` (its length does not matter), a group to the k keys
 * of the largest `e_j . k_l`, of equal ones to the first; then attention to those.
 */
function dgSamples(point: OperatorPoint, { q, k, v }: Tokens, centroids: ArrayLike<number>): Samples {
  const { tokens, headDim } = point;
  const groups = groupsOf(tokens);
  const [keys, values] = [headsOf(k.values, point), headsOf(v.values, point)];
  return tokenSamples(point, (place, head) => {
    const query = headOf(q.values, point, place, head);
    const own = Array.from({ length: groups }, (_, j) =>
      Float64Array.from({ length: headDim }, (_, e) => centroids[(head * groups + j) * headDim + e] as number),
    );
    const fits = own.map((centroid) => dot(query, centroid));
    const centroid = own[fits.indexOf(Math.max(...fits))] as Float64Array;
    const all = keys(place[0], head);
    const scores = all.map((key) => dot(centroid, key));
    const order = [...scores.keys()].sort((a, b) => (scores[b] as number) - (scores[a] as number) || a - b);
    const selected = order.slice(0, Math.min(TOP_K, tokens));
    const rows = (some: readonly Float64Array[]) => selected.map((l) => some[l] as Float64Array);
    return attend(query, rows(all), rows(values(place[0], head)));
  });
}
