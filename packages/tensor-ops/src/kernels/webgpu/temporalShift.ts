import type * as tf from '@tensorflow/tfjs-core';
import { runWebGPUProgram } from '../../webgpu/program.ts';
import { TEMPORAL_SHIFT } from '../names.ts';

/**
 * The temporal shift of x [B, T, P, C]: channels [0, fold) from the frame `direction` later, [fold, 2 fold) from the one
 * `direction` before, 0 where there is none; the rest as it is. One invocation is for one value.
 */
export const temporalShift: tf.KernelConfig = {
  kernelName: TEMPORAL_SHIFT,
  backendName: 'webgpu',
  kernelFunc: ({ inputs, attrs }) => {
    const { fold, direction } = attrs as unknown as { fold: number; direction: 1 | -1 };
    const x = inputs.x as tf.Tensor4D;
    return runWebGPUProgram(
      {
        name: 'temporalShift',
        inputs: ['x'],
        output: { shape: x.shape, dtype: 'float32' },
        uniforms: [
          { name: 'fold', type: 'i32', value: fold },
          { name: 'direction', type: 'i32', value: direction },
        ],
        workgroupSize: [64, 1, 1],
        dispatch: 'elements',
        body: `
          let channels = uniforms.outShape.w;
          let c = index % channels;
          let frameSize = uniforms.outShape.z * channels;
          let frames = uniforms.outShape.y;
          let back = select(0, -uniforms.direction, c < 2 * uniforms.fold);
          let by = select(back, uniforms.direction, c < uniforms.fold);
          let source = index / frameSize % frames + by;
          if (source < 0 || source >= frames) {
            result[index] = 0.0;
          } else {
            result[index] = x[index + by * frameSize];
          }`,
      },
      [x],
    );
  },
};
