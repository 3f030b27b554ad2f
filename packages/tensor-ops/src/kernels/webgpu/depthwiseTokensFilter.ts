import * as tf from '@tensorflow/tfjs-core';
import { product } from '../../shape.ts';
import { runWebGPUProgram, type WebGPUProgram } from '../../webgpu/program.ts';
import {
  assertBindable,
  codeOf,
  each,
  flatDispatch,
  groupSize,
  invocationIndex,
  readRow,
  type TokenAttributes,
  type TokenLayout,
  tokenFunctions,
  tokenLayout,
} from './depthwiseTokensLayout.ts';

/**
 * Gradient of `depthwiseTokens` with respect to its filter: x [B, N, C], dy [B, h, D*L, e] -> [...kernel, C or 1, D].
 *
 * Every weight is a sum over all samples and positions. Its lines (the rows of all frames of all samples) are cut into
 * parts; one program sums each part, a second one the parts. Nothing is added into memory by several at once, so equal
 * inputs give equal bits, whatever the GPU's order.
 */
export function filterGradient(
  x: tf.Tensor,
  dy: tf.Tensor,
  filterShape: number[],
  attributes: TokenAttributes,
): tf.Tensor {
  const [batch, , channels] = x.shape as [number, number, number];
  const layout = tokenLayout(batch, channels, filterShape, attributes);
  const { detectors, kernel, own, strided } = layout;
  assertBindable('x', x.shape);
  assertBindable('dy', dy.shape);
  const lines = batch * (strided[0] as number) * (strided[1] as number);
  const weights = product(kernel) * channels * detectors;
  const invocationsOfPart = weights / layout.lanes / (kernel[2] as number);
  const wanted = Math.min(lines, Math.ceil(wantedInvocations / invocationsOfPart));
  const linesOfPart = Math.ceil(lines / wanted);
  const parts = Math.ceil(lines / linesOfPart);
  return tf.tidy(() => {
    const shape = [parts, product(kernel), channels, detectors];
    const sums = runWebGPUProgram(partsProgram(layout, shape, linesOfPart), [x, dy]);
    const full = runWebGPUProgram(totalProgram(shape), [sums]);
    return tf.reshape(own === 1 ? tf.sum(full, 1) : full, filterShape);
  });
}

/** Enough to keep a GPU busy, and few enough that the parts' sums stay small: 3 MiB with 4 detectors and 3 columns. */
const wantedInvocations = 65_536;

/**
 * [parts, M, C, D]: the sums of each part. An invocation is for one part, a row of taps, one channel and a few detectors.
 */
function partsProgram(layout: TokenLayout, shape: readonly number[], linesOfPart: number): WebGPUProgram {
  const { batch, kernel, lanes, strided, stride, tile, uniforms } = layout;
  const width = kernel[2] as number;
  const invocations = product(shape) / lanes / width;
  const numbers = { invocations, linesOfPart, lines: batch * (strided[0] as number) * (strided[1] as number) };
  const more = Object.entries(numbers).map(([name, value]) => ({ name, type: 'i32', value }) as const);
  return {
    name: `depthwiseTokensFilter_${codeOf(layout)}`,
    inputs: ['x', 'dy'],
    output: { shape, dtype: 'float32' },
    uniforms: [...uniforms, ...more],
    workgroupSize: [groupSize, 1, 1],
    dispatch: flatDispatch(invocations),
    declarations: tokenFunctions(layout),
    body: `
      let index = ${invocationIndex};
      if (index >= uniforms.invocations) { return; }
      let c = index % uniforms.channels;
      let rest = index / uniforms.channels;
      let d = rest % (uniforms.detectors / ${lanes}) * ${lanes};
      let rowOfTaps = rest / (uniforms.detectors / ${lanes}); // of all parts
      let v = rowOfTaps % uniforms.kernelHeight - uniforms.kernelHeight / 2;
      let u = rowOfTaps / uniforms.kernelHeight % uniforms.kernelFrames - uniforms.kernelFrames / 2;
      let part = rowOfTaps / (uniforms.kernelHeight * uniforms.kernelFrames);
      let step = tokenStep();
      ${each(width, (w) => each(lanes, (lane) => `var sum${w}_${lane} = 0.0;`))}
      let end = min(uniforms.lines, (part + 1) * uniforms.linesOfPart);
      for (var stridedLine = part * uniforms.linesOfPart; stridedLine < end; stridedLine++) {
        let row = stridedLine % uniforms.rows * ${stride} + v;
        let frame = stridedLine / uniforms.rows % uniforms.frames + u;
        if (row < 0 || row >= uniforms.height || frame < 0 || frame >= uniforms.frames) { continue; }
        let b = stridedLine / (uniforms.rows * uniforms.frames);
        let line = (b * uniforms.frames + frame) * uniforms.height + row;
        let lineOfSample = stridedLine % (uniforms.rows * uniforms.frames);
        for (var tile = 0; tile < uniforms.columns; tile += ${tile}) {
          ${readRow(layout)}
          let token = tokenAt(b, c, d, lineOfSample * uniforms.columns + tile);
          ${each(tile, (j) =>
            each(lanes, (lane) => {
              const value = `dy[token + ${j} * uniforms.headSize + ${lane} * step]`;
              return `
          let dy${j}_${lane} = select(0.0, ${value}, tile + ${j} < uniforms.columns);
          ${each(width, (w) => `sum${w}_${lane} += x${j * stride + w} * dy${j}_${lane};`)}`;
            }),
          )}
        }
      }
      let taps = rowOfTaps * ${width};
      ${each(width, (w) =>
        each(lanes, (lane) => {
          const cell = `((taps + ${w}) * uniforms.channels + c) * uniforms.detectors + d + ${lane}`;
          return `result[${cell}] = sum${w}_${lane};`;
        }),
      )}`,
  };
}

/** The sum of the parts: [parts, M, C, D] -> [M, C, D]. */
function totalProgram([parts, ...shape]: readonly number[]): WebGPUProgram {
  return {
    name: 'depthwiseTokensTotal',
    inputs: ['sums'],
    output: { shape, dtype: 'float32' },
    uniforms: [{ name: 'parts', type: 'i32', value: parts as number }],
    workgroupSize: [groupSize, 1, 1],
    dispatch: 'elements',
    body: `
      var total = 0.0;
      for (var part = 0; part < uniforms.parts; part++) { total += sums[part * uniforms.size + index]; }
      result[index] = total;`,
  };
}
