import type * as tf from '@tensorflow/tfjs-core';
import { runWebGPUProgram } from '../../webgpu/program.ts';
import { MAX_POOL_GRAD } from '../names.ts';

/**
 * Gradient of a max pool: x [B, H, W, C], dy [B, H', W', C] -> [B, H, W, C]. tfjs' own kernel gives a window's gradient to
 * the last of several equal maxima; this one to the first, row by row.
 *
 * One invocation is for one value of x. It looks at each window that holds it: whether all values before it in the window
 * are smaller, and none after it is larger. Nothing is added into memory by several at once.
 */
export const maxPoolGrad: tf.KernelConfig = {
  kernelName: MAX_POOL_GRAD,
  backendName: 'webgpu',
  kernelFunc: ({ inputs, attrs }) => {
    const { filterSize, strides, pad } = attrs as unknown as { filterSize: number; strides: number; pad: number };
    const [x, dy] = [inputs.x as tf.Tensor4D, inputs.dy as tf.Tensor4D];
    return runWebGPUProgram(
      {
        name: 'maxPoolGrad',
        inputs: ['x', 'dy'],
        output: { shape: x.shape, dtype: 'float32' },
        uniforms: [
          { name: 'side', type: 'i32', value: filterSize },
          { name: 'stride', type: 'i32', value: strides },
          { name: 'pad', type: 'i32', value: pad },
        ],
        workgroupSize: [64, 1, 1],
        dispatch: 'elements',
        declarations: `
          fn isFirstMaximum(position : vec4<i32>, corner : vec2<i32>, value : f32) -> bool {
            for (var row = max(corner.x, 0); row < min(corner.x + uniforms.side, uniforms.xShape.y); row++) {
              for (var column = max(corner.y, 0); column < min(corner.y + uniforms.side, uniforms.xShape.z); column++) {
                let line = (position.x * uniforms.xShape.y + row) * uniforms.xShape.z + column;
                let other = x[line * uniforms.xShape.w + position.w];
                let earlier = row < position.y || (row == position.y && column < position.z);
                if (other > value || (earlier && other == value)) { return false; }
              }
            }
            return true;
          }`,
        body: `
          let channels = uniforms.xShape.w;
          let width = uniforms.xShape.z;
          let height = uniforms.xShape.y;
          let position = vec4<i32>(
            index / (height * width * channels), index / (width * channels) % height, index / channels % width,
            index % channels);
          // The windows that reach here: those that start at most side - 1 before it.
          let first = max(vec2<i32>(0), (position.yz + uniforms.pad - uniforms.side) / uniforms.stride);
          let last = min(uniforms.dyShape.yz - 1, (position.yz + uniforms.pad) / uniforms.stride);
          var sum = 0.0;
          for (var i = first.x; i <= last.x; i++) {
            for (var j = first.y; j <= last.y; j++) {
              let corner = vec2<i32>(i, j) * uniforms.stride - uniforms.pad;
              let inside = all(position.yz >= corner) && all(position.yz < corner + uniforms.side);
              if (inside && isFirstMaximum(position, corner, x[index])) {
                let line = (position.x * uniforms.dyShape.y + i) * uniforms.dyShape.z + j;
                sum += dy[line * channels + position.w];
              }
            }
          }
          result[index] = sum;`,
      },
      [x, dy],
    );
  },
};
