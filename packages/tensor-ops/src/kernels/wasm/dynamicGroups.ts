import type * as tf from '@tensorflow/tfjs-core';
import type { DynamicGroupsOptions } from '../../dynamicGroups.ts';
import { explicitGroups } from '../../dynamicGroupsExplicit.ts';
import { DYNAMIC_GROUPS } from '../names.ts';
import { floats, memoryOffset, type WasmBackend } from './backend.ts';
import { type SimdKernels, simdKernels } from './simd.ts';

/** Centroids whose scores with all keys exist at a time. */
const CHUNK = 4;

/** `dynamicGroups`, one head after the other; without SIMD by operations of tfjs. */
export const dynamicGroups: tf.KernelConfig = {
  kernelName: DYNAMIC_GROUPS,
  backendName: 'wasm',
  kernelFunc: ({ inputs, attrs, backend }) => {
    const { q, k, centroids } = inputs as unknown as Record<'q' | 'k' | 'centroids', tf.Tensor>;
    const attributes = attrs as unknown as Required<DynamicGroupsOptions>;
    const simd = simdKernels(backend as WasmBackend);
    if (simd === undefined) {
      const routing = explicitGroups(q as tf.Tensor4D, k as tf.Tensor4D, centroids as tf.Tensor3D, attributes);
      return [routing.assignment, routing.keys];
    }
    return compute(backend as WasmBackend, simd, { q, k, centroids }, attributes);
  },
};

function compute(
  backend: WasmBackend,
  simd: SimdKernels,
  { q, k, centroids }: Record<'q' | 'k' | 'centroids', tf.TensorInfo>,
  { topK, assign, normalizeKeys }: Required<DynamicGroupsOptions>,
): tf.TensorInfo[] {
  const [batch, heads, queries, size] = q.shape as [number, number, number, number];
  const [groups, length] = [centroids.shape[1] as number, k.shape[2] as number];
  const [width, keyWidth] = [padded(groups), padded(length)];
  const assignment = backend.makeOutput([batch, heads, queries], 'int32');
  const keys = backend.makeOutput([batch, heads, groups, topK], 'int32');
  const make = (count: number) => backend.makeOutput([count], 'float32');
  const transposed = make(size * width);
  const shifts = make(groups);
  const tile = make(16 * (size + width));
  const keysT = make(size * keyWidth);
  const scores = make(CHUNK * keyWidth);
  const histogram = make(256);
  const at = (tensor: tf.TensorInfo, skipped = 0) => memoryOffset(backend, tensor) + 4 * skipped;
  for (let set = 0; set < batch * heads; set++) {
    const head = set % heads;
    const own = head * groups * size;
    halfSquares(floats(backend, centroids).subarray(own, own + groups * size), floats(backend, shifts), assign);
    simd.transposeRows(at(centroids, own), at(transposed), groups, size, 0);
    const [from, to] = [at(q, set * queries * size), at(assignment, set * queries)];
    simd.assignRows(from, at(transposed), at(shifts), to, at(tile), queries, groups, size);
    if (topK === length) continue;
    simd.transposeRows(at(k, set * length * size), at(keysT), length, size, normalizeKeys ? 1 : 0);
    for (let group = 0; group < groups; group += CHUNK) {
      const count = Math.min(CHUNK, groups - group);
      simd.directMatMul(at(centroids, own + group * size), at(keysT), at(scores), count, size, keyWidth);
      for (let i = 0; i < count; i++) {
        const chosen = at(keys, (set * groups + group + i) * topK);
        simd.selectLargest(at(scores, i * keyWidth), at(histogram), chosen, length, topK);
      }
    }
  }
  if (topK === length) {
    const all = floats(backend, keys);
    for (let i = 0; i < all.length; i++) all[i] = i % length;
  }
  for (const { dataId } of [transposed, shifts, tile, keysT, scores, histogram]) backend.disposeData(dataId);
  return [assignment, keys];
}

/** What the kernels fill rows up to: whole tiles of 8 columns. */
function padded(count: number): number {
  return 8 * Math.ceil(count / 8);
}

/** `|e|^2 / 2` of each centroid for `euclid`, else 0. */
function halfSquares(centroids: Float32Array, out: Float32Array, assign: 'dot' | 'euclid'): void {
  const size = centroids.length / out.length;
  for (let g = 0; g < out.length; g++) {
    const square = centroids.subarray(g * size, (g + 1) * size).reduce((sum, value) => sum + value * value, 0);
    out[g] = assign === 'euclid' ? square / 2 : 0;
  }
}
