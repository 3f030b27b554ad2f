import * as tf from '@tensorflow/tfjs-core';
import type { GroupRouting } from './dynamicGroups.ts';
import { type BlockPlan, planBlocks } from './groupedPlan.ts';
import { rawMatMul, transposeLast } from './matMul.ts';
import { withGradient } from './withGradient.ts';

/**
 * `groupedAttention` in blocks of queries of one group each: queries are sorted by group, each block gathers the keys and
 * values of its group, batched products do the rest, and the order is restored. Nothing of N x L exists, and none of the
 * blocks' own maps is kept for the gradient, which computes them again. Reads the routing at once: for backends in the
 * processor's memory.
 */
export function blockwiseAttention(
  q: tf.Tensor4D,
  k: tf.Tensor4D,
  v: tf.Tensor4D,
  routing: GroupRouting,
  scale: number,
): tf.Tensor4D {
  const plan = planBlocks(routing, k.shape[2]);
  return withGradient(
    [q, k, v],
    ([q, k, v]) => {
      const output = blocksForward(q, k, v, plan, scale);
      return { value: output, saved: [output, q, k, v] };
    },
    (dy, [output, q, k, v]) => blocksBackward({ dy, output, q, k, v }, plan, scale),
  );
}

/** The value alone. */
export function blocksForward(
  q: tf.Tensor4D,
  k: tf.Tensor4D,
  v: tf.Tensor4D,
  plan: BlockPlan,
  scale: number,
): tf.Tensor4D {
  return tf.tidy(() => {
    const [queries, keys, values] = [inBlocks(q, plan.slots), inBlocks(k, plan.keyRows), inBlocks(v, plan.keyRows)];
    const outputs = rawMatMul(weights(queries, keys, scale), values);
    return inOrder(outputs, plan, q.shape);
  });
}

/**
 * The gradients, dq, dk and dv. With the weights A of a block, delta_i = dy_i . y_i: dV = A^T dy;
 * dS = A * (dy V^T - delta); dQ = scale * dS K; dK = scale * dS^T Q; those of keys and values are then added up over the
 * blocks that have gathered the same row.
 */
export function blocksBackward(
  { dy, output, q, k, v }: Record<'dy' | 'output' | 'q' | 'k' | 'v', tf.Tensor4D>,
  plan: BlockPlan,
  scale: number,
): tf.Tensor[] {
  return tf.tidy(() => {
    const [queries, keys, values] = [inBlocks(q, plan.slots), inBlocks(k, plan.keyRows), inBlocks(v, plan.keyRows)];
    // What fills blocks up repeats a query; without a gradient of its own it adds nothing.
    const filled = tf.tensor(plan.filled, [...plan.slots.shape, 1]);
    const dOutputs = tf.mul(inBlocks(dy, plan.slots), filled) as tf.Tensor3D;
    const delta = tf.sum(tf.mul(dOutputs, inBlocks(output, plan.slots)), -1, true);
    const attention = weights(queries, keys, scale);
    const dScores = tf.mul(attention, tf.sub(rawMatMul(dOutputs, transposeLast(values)), delta));
    const scaled = tf.mul(dScores, scale);
    return [
      inOrder(rawMatMul(scaled, keys), plan, q.shape),
      addedUp(rawMatMul(transposeLast(scaled), queries), plan, k.shape),
      addedUp(rawMatMul(transposeLast(attention), dOutputs), plan, v.shape),
    ];
  });
}

function weights(queries: tf.Tensor3D, keys: tf.Tensor3D, scale: number): tf.Tensor3D {
  return tf.softmax(rawMatMul(tf.mul(queries, scale), transposeLast(keys)), -1) as tf.Tensor3D;
}

/** Rows of x [B, h, M, d] by their numbers through all heads and samples: [blocks, rows of a block, d]. */
function inBlocks(x: tf.Tensor4D, rows: BlockPlan['slots']): tf.Tensor3D {
  const size = x.shape[3];
  const gathered = tf.gather(tf.reshape(x, [-1, size]), tf.tensor1d(rows.numbers, 'int32'));
  return tf.reshape(gathered, [...rows.shape, size]) as tf.Tensor3D;
}

/** Results of the blocks, back in the order of the queries. */
function inOrder(blocks: tf.Tensor, { places }: BlockPlan, shape: tf.Tensor4D['shape']): tf.Tensor4D {
  const rows = tf.gather(tf.reshape(blocks, [-1, shape[3]]), tf.tensor1d(places, 'int32'));
  return tf.reshape(rows, shape) as tf.Tensor4D;
}

/** Adds rows of blocks to the rows that they were gathered from; by hand, since cpu's own segment sum is quadratic. */
function addedUp(blocks: tf.Tensor, { keyRows }: BlockPlan, shape: tf.Tensor4D['shape']): tf.Tensor4D {
  const size = shape[3];
  const parts = blocks.dataSync();
  const sums = new Float32Array(shape[0] * shape[1] * shape[2] * size);
  keyRows.numbers.forEach((row, i) => {
    for (let c = 0; c < size; c++) (sums[row * size + c] as number) += parts[i * size + c] as number;
  });
  return tf.tensor4d(sums, shape);
}
