import type { WebGPUProgram } from '../../webgpu/program.ts';
import type { Sizes } from './attentionBlocks.ts';

/**
 * `delta_i = dy_i . y_i`: dy, y [G, N, f] -> [G, N]. It is what the gradient of the softmax subtracts, a sum over all keys
 * in disguise: `sum_j A_ij (dy_i . v_j) = dy_i . y_i`.
 */
export function deltaProgram({ groups, queries, valueSize }: Sizes): WebGPUProgram {
  return {
    name: 'attentionDelta',
    inputs: ['dy', 'y'],
    output: { shape: [groups, queries], dtype: 'float32' },
    uniforms: [{ name: 'valueSize', type: 'i32', value: valueSize }],
    workgroupSize: [64, 1, 1],
    dispatch: 'elements',
    body: `
  let start = index * uniforms.valueSize;
  var sum = 0.0;
  for (var c = start; c < start + uniforms.valueSize; c++) { sum += dy[c] * y[c]; }
  result[index] = sum;`,
  };
}
