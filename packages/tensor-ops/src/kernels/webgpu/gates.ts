import * as tf from '@tensorflow/tfjs-core';
import { runWebGPUProgram } from '../../webgpu/program.ts';
import { AXIS_GATES, MAX_MEAN, MAX_MEAN_GRAD, PLANE_CONV3D } from '../names.ts';
import { assertBindable, flatDispatch, groupSize, invocationIndex, tokenKernel } from './depthwiseTokensLayout.ts';

/** Largest value and mean along the middle axis: x [outer, n, inner] -> [2, outer, inner]; one invocation for both. */
export const maxMean = tokenKernel<'x', object>(MAX_MEAN, ({ x }) => {
  const [outer, length, inner] = x.shape as [number, number, number];
  assertBindable('x', x.shape);
  return runWebGPUProgram(
    {
      name: 'maxMean',
      inputs: ['x'],
      output: { shape: [2, outer, inner], dtype: 'float32' },
      uniforms: [
        { name: 'count', type: 'i32', value: outer * inner },
        { name: 'length', type: 'i32', value: length },
        { name: 'inner', type: 'i32', value: inner },
      ],
      workgroupSize: [groupSize, 1, 1],
      dispatch: flatDispatch(outer * inner),
      body: `
        let index = ${invocationIndex};
        if (index >= uniforms.count) { return; }
        var at = index / uniforms.inner * uniforms.length * uniforms.inner + index % uniforms.inner;
        var largest = x[at];
        var sum = largest;
        for (var j = 1; j < uniforms.length; j++) {
          at += uniforms.inner;
          largest = max(largest, x[at]);
          sum += x[at];
        }
        result[index] = largest;
        result[uniforms.count + index] = sum / f32(uniforms.length);`,
    },
    [x],
  );
});

/** Its gradient: an invocation walks along the axis, and gives that of the maximum to the first place of it. */
export const maxMeanGrad = tokenKernel<'dy' | 'x' | 'y', object>(MAX_MEAN_GRAD, ({ dy, x, y }) => {
  const [outer, length, inner] = x.shape as [number, number, number];
  assertBindable('x', x.shape);
  return runWebGPUProgram(
    {
      name: 'maxMeanGrad',
      inputs: ['dy', 'x', 'y'],
      output: { shape: x.shape, dtype: 'float32' },
      uniforms: [
        { name: 'count', type: 'i32', value: outer * inner },
        { name: 'length', type: 'i32', value: length },
        { name: 'inner', type: 'i32', value: inner },
      ],
      workgroupSize: [groupSize, 1, 1],
      dispatch: flatDispatch(outer * inner),
      body: `
        let index = ${invocationIndex};
        if (index >= uniforms.count) { return; }
        let share = dy[uniforms.count + index] / f32(uniforms.length);
        var rest = dy[index];
        var at = index / uniforms.inner * uniforms.length * uniforms.inner + index % uniforms.inner;
        for (var j = 0; j < uniforms.length; j++) {
          let here = select(0.0, rest, x[at] == y[index]);
          rest = select(rest, 0.0, x[at] == y[index]);
          result[at] = share + here;
          at += uniforms.inner;
        }`,
    },
    [dy, x, y],
  );
});

/** 3x3x3 convolution with zero padding: x [P, B, a, b, c], filter [3, 3, 3, P, O] -> [O, B, a, b, c]. */
export const planeConv3d = tokenKernel<'x' | 'filter', object>(PLANE_CONV3D, ({ x, filter }) => {
  const [planes, batch, a, b, c] = x.shape as [number, number, number, number, number];
  const outputs = filter.shape[4] as number;
  assertBindable('x', x.shape);
  return runWebGPUProgram(
    {
      name: 'planeConv3d',
      inputs: ['x', 'weight'],
      output: { shape: [outputs, batch, a, b, c], dtype: 'float32' },
      uniforms: Object.entries({ planes, outputs, plane: batch * a * b * c, a, b, c }).map(
        ([name, value]) => ({ name, type: 'i32', value }) as const,
      ),
      workgroupSize: [groupSize, 1, 1],
      dispatch: 'elements',
      body: `
        let o = index / uniforms.plane;
        let place = index % uniforms.plane;
        let k = place % uniforms.c;
        let j = place / uniforms.c % uniforms.b;
        let i = place / (uniforms.c * uniforms.b) % uniforms.a;
        var sum = 0.0;
        for (var u = max(0, 1 - i); u < min(3, uniforms.a + 1 - i); u++) {
          for (var v = max(0, 1 - j); v < min(3, uniforms.b + 1 - j); v++) {
            for (var w = max(0, 1 - k); w < min(3, uniforms.c + 1 - k); w++) {
              let at = place + ((u - 1) * uniforms.b + v - 1) * uniforms.c + w - 1;
              let tap = (u * 3 + v) * 3 + w;
              for (var p = 0; p < uniforms.planes; p++) {
                sum += x[p * uniforms.plane + at] * weight[(tap * uniforms.planes + p) * uniforms.outputs + o];
              }
            }
          }
        }
        result[index] = sum;`,
    },
    [x, filter],
  );
});

/** `x * (time + height + width) / 3`; x [B, T, H, W, C], gates without T, H and W in turn. */
export const axisGates = tokenKernel<'x' | 'time' | 'height' | 'width', object>(
  AXIS_GATES,
  ({ x, time, height, width }) => {
    const [batch, frames, rows, columns, channels] = x.shape as [number, number, number, number, number];
    assertBindable('x', x.shape);
    const y = runWebGPUProgram(
      {
        name: 'axisGates',
        inputs: ['x', 'time', 'height', 'width'],
        // Rank 1: the code counts for itself.
        output: { shape: [x.size], dtype: 'float32' },
        uniforms: Object.entries({ frames, rows, columns, channels }).map(
          ([name, value]) => ({ name, type: 'i32', value }) as const,
        ),
        workgroupSize: [groupSize, 1, 1],
        dispatch: 'elements',
        body: `
          let c = index % uniforms.channels;
          let line = index / uniforms.channels;
          let w = line % uniforms.columns;
          let h = line / uniforms.columns % uniforms.rows;
          let bt = line / (uniforms.columns * uniforms.rows);
          let b = bt / uniforms.frames;
          let timeAt = ((b * uniforms.rows + h) * uniforms.columns + w) * uniforms.channels + c;
          let heightAt = (bt * uniforms.columns + w) * uniforms.channels + c;
          let widthAt = (bt * uniforms.rows + h) * uniforms.channels + c;
          result[index] = x[index] * (time[timeAt] + height[heightAt] + width[widthAt]) / 3.0;`,
      },
      [x, time, height, width].map((tensor) => tf.reshape(tensor, [tensor.size])),
    );
    return tf.reshape(y, [batch, frames, rows, columns, channels]);
  },
);
