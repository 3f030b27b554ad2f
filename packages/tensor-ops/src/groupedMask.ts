import * as tf from '@tensorflow/tfjs-core';
import { detached } from './detached.ts';
import type { GroupRouting } from './dynamicGroups.ts';
import type { GroupedAttentionOptions } from './groupedAttention.ts';
import { matMul, rawMatMul, transposeLast } from './matMul.ts';

/** Added to the score of a pair that does not belong together: its exponential is exactly 0, and nothing is infinite. */
const OUTSIDE = -1e9;

/**
 * `groupedAttention` as plain attention under a mask of N x L pairs: the reference of the other paths. Operations of tfjs
 * that run on every backend and are differentiated one by one. Cost and memory of attention between all pairs, and more.
 */
export function maskedAttention(
  q: tf.Tensor4D,
  k: tf.Tensor4D,
  v: tf.Tensor4D,
  routing: GroupRouting,
  scale: number,
): tf.Tensor4D {
  return tf.tidy(() => {
    const mask = detached(() => pairMask(routing, k.shape[2]));
    const scores = matMul(tf.mul(q, scale), transposeLast(k));
    return matMul(tf.softmax(tf.add(scores, mask), -1), v) as tf.Tensor4D;
  });
}

/**
 * The weights with which `groupedAttention` adds up values, for pictures and tests: [B, h, N, L], zero outside of a
 * query's group. Holds maps of N x L: pass the queries of interest only, with their part of the assignment. Not
 * differentiable.
 */
export function groupedAttentionWeights(
  q: tf.Tensor4D,
  k: tf.Tensor4D,
  routing: GroupRouting,
  { scale = 1 / Math.sqrt(q.shape[3]) }: GroupedAttentionOptions = {},
): tf.Tensor4D {
  return detached(() => {
    const scores = rawMatMul(tf.mul(q, scale), transposeLast(k));
    return tf.softmax(tf.add(scores, pairMask(routing, k.shape[2])), -1) as tf.Tensor4D;
  });
}

/** 0 where the key is one of the query's group, else {@link OUTSIDE}: [B, h, N, L]. */
function pairMask({ assignment, keys }: GroupRouting, length: number): tf.Tensor4D {
  const [batch, heads, groups, count] = keys.shape;
  const queries = assignment.shape[2];
  const sets = batch * heads;
  const rows = tf.reshape(keys, [sets * groups, count]);
  const places = tf.add(rows, firsts(sets * groups, length)) as tf.Tensor2D;
  const chosen = tf.reshape(places, [sets * groups * count, 1]) as tf.Tensor2D;
  const members = tf.scatterND(chosen, tf.ones([chosen.size]), [sets * groups * length]);
  const groupOf = tf.reshape(tf.add(tf.reshape(assignment, [sets, queries]), firsts(sets, groups)), [sets * queries]);
  const perQuery = tf.gather(tf.reshape(members, [sets * groups, length]), tf.cast(groupOf, 'int32') as tf.Tensor1D);
  const inside = tf.minimum(perQuery, 1);
  return tf.reshape(tf.mul(tf.sub(1, inside), OUTSIDE), [batch, heads, queries, length]) as tf.Tensor4D;
}

/** 0, step, 2 step, ... as a column of integers: where the entries of each set begin. */
function firsts(count: number, step: number): tf.Tensor2D {
  return tf.mul(tf.reshape(tf.range(0, count, 1, 'int32'), [count, 1]), tf.scalar(step, 'int32')) as tf.Tensor2D;
}
