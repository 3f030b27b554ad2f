import * as tf from '@tensorflow/tfjs-core';
import { BATCH_MAT_MUL } from '../names.ts';
import { memoryOffset, runKernel, wasmKernel } from './backend.ts';
import { simdKernels } from './simd.ts';

/**
 * Product of two batches of matrices: a [G, M, K], b [G, K, N] -> [G, M, N].
 *
 * tfjs hands a product to XNNPACK only where the batch is 1; any other goes through a scalar loop, about ten times slower.
 */
export const batchMatMul = wasmKernel<'a' | 'b', object>(BATCH_MAT_MUL, ({ inputs: { a, b }, backend }) => {
  const simd = simdKernels(backend);
  if (!simd) return runKernel(backend, tf.BatchMatMul, { a, b }, { transposeA: false, transposeB: false });
  const [groups, rows, inner] = a.shape as [number, number, number];
  const columns = b.shape[2] as number;
  const out = backend.makeOutput([groups, rows, columns], 'float32');
  const at = (tensor: tf.TensorInfo) => memoryOffset(backend, tensor);
  const scratch = backend.makeOutput([simd.matMulScratch(inner) / 4], 'float32');
  simd.batchMatMul(at(a), at(b), at(out), at(scratch), groups, rows, inner, columns);
  backend.disposeData(scratch.dataId);
  return out;
});
