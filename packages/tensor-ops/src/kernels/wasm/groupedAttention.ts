import type * as tf from '@tensorflow/tfjs-core';
import { blocksBackward, blocksForward } from '../../groupedBlocks.ts';
import { assertIndices, planBlocks, sortQueries } from '../../groupedPlan.ts';
import { GROUPED_ATTENTION, GROUPED_ATTENTION_GRAD } from '../names.ts';
import { floats, memoryOffset, type WasmBackend } from './backend.ts';
import { type SimdKernels, simdKernels } from './simd.ts';

type Tensors = readonly [q: tf.Tensor4D, k: tf.Tensor4D, v: tf.Tensor4D, assignment: tf.Tensor3D, keys: tf.Tensor4D];

/**
 * `groupedAttention`, one group after the other: what is gathered and scored exists for one group only. Keeps for the
 * gradient, of each query, the largest score and 1 / the sum of exponentials. Without SIMD: in blocks.
 */
export const groupedAttention = wasmGroups(GROUPED_ATTENTION, ({ inputs, scale, backend, simd }) => {
  const [q, k, v, assignment, keys] = inputs as unknown as Tensors;
  if (simd === undefined) return [blocksForward(q, k, v, planBlocks({ assignment, keys }, k.shape[2]), scale)];
  const y = backend.makeOutput(q.shape, 'float32');
  const kept = backend.makeOutput([...q.shape.slice(0, 3), 2], 'float32');
  visitGroups(backend, simd, [q, k, v, assignment, keys], false, ({ queries, keys, order, chosen, scratch, sizes }) => {
    const [count, selected, size] = sizes;
    const [to, own] = [queries(y, size), queries(kept, 2)];
    simd.attendGroup(
      ...[queries(q, size), keys(k), keys(v), order, chosen, to, own, scratch],
      ...[count, selected, size, scale],
    );
  });
  return [y, kept];
});

/** Its gradients. */
export const groupedAttentionGrad = wasmGroups(GROUPED_ATTENTION_GRAD, ({ inputs, scale, backend, simd }) => {
  const [dy, q, k, v, assignment, keys, output, kept] = inputs as unknown as [
    tf.Tensor4D,
    ...Tensors,
    tf.Tensor4D,
    tf.Tensor4D,
  ];
  if (simd === undefined || kept === undefined) {
    return blocksBackward({ dy, output, q, k, v }, planBlocks({ assignment, keys }, k.shape[2]), scale);
  }
  const [dq, dk, dv] = [q, k, v].map(({ shape }) => backend.makeOutput(shape, 'float32')) as [
    tf.TensorInfo,
    tf.TensorInfo,
    tf.TensorInfo,
  ];
  for (const sums of [dk, dv]) floats(backend, sums).fill(0);
  visitGroups(backend, simd, [q, k, v, assignment, keys], true, ({ queries, keys, order, chosen, scratch, sizes }) => {
    const [count, selected, size] = sizes;
    const perQuery = [queries(output, size), queries(kept, 2), queries(dq, size)];
    simd.attendGroupGrad(
      ...[queries(dy, size), queries(q, size), keys(k), keys(v), order, chosen],
      ...[...perQuery, keys(dk), keys(dv), scratch, count, selected, size, scale],
    );
  });
  return [dq, dk, dv];
});

/** One group of one head of one sample; all but the sizes are places in memory, in bytes. */
interface Group {
  /** where the rows of this head begin in a tensor of queries, with rows of `size` */
  queries(tensor: tf.TensorInfo, size: number): number;
  /** where they begin in a tensor of keys */
  keys(tensor: tf.TensorInfo): number;
  /** the numbers of the group's queries */
  readonly order: number;
  /** the numbers of its keys */
  readonly chosen: number;
  readonly scratch: number;
  readonly sizes: readonly [queries: number, keys: number, channels: number];
}

/**
 * Visits every group that has queries.
 *
 * @throws ConfigError for a group or a key that does not exist
 */
function visitGroups(
  backend: WasmBackend,
  simd: SimdKernels,
  [q, k, , assignment, keys]: Tensors,
  gradient: boolean,
  visit: (group: Group) => void,
): void {
  const [batch, heads, queries, size] = q.shape;
  const length = k.shape[2];
  const [, , groups, selected] = keys.shape;
  const scratch = backend.makeOutput([simd.groupScratch(selected, size, gradient ? 1 : 0)], 'float32');
  const order = backend.makeOutput([queries], 'int32');
  const groupOf = floats(backend, assignment);
  assertIndices('assignment', groupOf, groups);
  assertIndices('keys', floats(backend, keys), length);
  const at = (tensor: tf.TensorInfo, skipped: number) => memoryOffset(backend, tensor) + 4 * skipped;
  for (let set = 0; set < batch * heads; set++) {
    const sorted = sortQueries(groupOf.subarray(set * queries, (set + 1) * queries), groups);
    floats(backend, order).set(sorted.order);
    for (let group = 0; group < groups; group++) {
      const [from, to] = [sorted.begins[group] as number, sorted.begins[group + 1] as number];
      if (from === to) continue;
      visit({
        queries: (tensor, width) => at(tensor, set * queries * width),
        keys: (tensor) => at(tensor, set * length * size),
        order: at(order, from),
        chosen: at(keys, (set * groups + group) * selected),
        scratch: at(scratch, 0),
        sizes: [to - from, selected, size],
      });
    }
  }
  for (const { dataId } of [scratch, order]) backend.disposeData(dataId);
}

interface Call {
  readonly inputs: readonly tf.Tensor[];
  readonly scale: number;
  readonly backend: WasmBackend;
  readonly simd: SimdKernels | undefined;
}

function wasmGroups(kernelName: string, compute: (call: Call) => tf.TensorInfo[]): tf.KernelConfig {
  return {
    kernelName,
    backendName: 'wasm',
    kernelFunc: ({ inputs, attrs, backend }) =>
      compute({
        inputs: inputs as unknown as tf.Tensor[],
        scale: (attrs as unknown as { readonly scale: number }).scale,
        backend: backend as WasmBackend,
        simd: simdKernels(backend as WasmBackend),
      }),
  };
}
