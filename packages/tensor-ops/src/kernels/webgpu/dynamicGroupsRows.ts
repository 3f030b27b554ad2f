import * as tf from '@tensorflow/tfjs-core';
import { ShapeError } from '../../errors.ts';
import { product } from '../../shape.ts';
import { bindingLimit } from '../../webgpu/bindingLimit.ts';
import { runMultiOutputProgram, type WebGPUOutput, type WebGPUProgram } from '../../webgpu/program.ts';
import { flatDispatch, groupSize } from './depthwiseTokensLayout.ts';

/** A program in whose code all tensors are flat and all uniforms are `u32`. */
export interface FlatProgram
  extends Pick<WebGPUProgram, 'name' | 'inputs' | 'vectors' | 'workgroupSize' | 'dispatch' | 'declarations' | 'body'> {
  /** Shapes that the outputs have for the caller: `result`, and others. */
  readonly result: WebGPUOutput;
  readonly more?: readonly (WebGPUOutput & { readonly name: string })[];
  readonly numbers: Readonly<Record<string, number>>;
  readonly scale?: number;
}

/**
 * Runs a program and returns its outputs.
 *
 * To tfjs, too, all tensors are flat: it compiles the same code anew for every pattern of dimensions that are 1 or that
 * inputs and output have in common, and [n] beside an output [n, 1] has none of either.
 */
export function runFlat(program: FlatProgram, inputs: readonly tf.Tensor[]): tf.Tensor[] {
  const { result, more = [], numbers, scale, ...rest } = program;
  const outputs = runMultiOutputProgram(
    {
      ...rest,
      output: { shape: [product(result.shape), 1], dtype: result.dtype },
      moreOutputs: more.map((output) => ({ ...output, shape: [product(output.shape)] })),
      uniforms: [
        ...Object.entries(numbers).map(([name, value]) => ({ name, type: 'u32', value }) as const),
        ...(scale === undefined ? [] : [{ name: 'scale', type: 'f32', value: scale } as const]),
      ],
    },
    inputs.map((x) => tf.reshape(x, [x.size])),
  );
  return [result, ...more].map(({ shape }, i) => tf.reshape(outputs[i] as tf.Tensor, [...shape]));
}

/** So many workgroups, or a few more, along x and y, and the number of one of them. */
export const workgroups = (count: number) => flatDispatch(groupSize * count);
export const workgroupIndex = '(workgroupId.y * numWorkgroups.x + workgroupId.x)';

/** Invocations of a workgroup that has a row of numbers to itself: as many as every WebGPU device allows. */
export const rowInvocations = 256;

/**
 * For programs of one workgroup a row:
 * - `partOf(length)`: the part [from, to) of a row that is this invocation's; the parts follow each other;
 * - `sumsBefore(value)`: the sums of the values of all invocations before this one. For all of them together, since it has
 *   barriers.
 */
export const rowFunctions = `
var<workgroup> sums : array<vec2<u32>, ${rowInvocations}>;

fn partOf(length : u32) -> vec2<u32> {
  let size = (length + ${rowInvocations - 1}u) / ${rowInvocations}u;
  return min(vec2<u32>(localIndex, localIndex + 1u) * size, vec2<u32>(length));
}

fn sumsBefore(value : vec2<u32>) -> vec2<u32> {
  sums[localIndex] = value;
  workgroupBarrier();
  for (var step = 1u; step < ${rowInvocations}u; step *= 2u) {
    let other = select(vec2<u32>(), sums[max(localIndex, step) - step], localIndex >= step);
    workgroupBarrier();
    sums[localIndex] += other;
    workgroupBarrier();
  }
  return sums[localIndex] - value;
}`;

/** Parts of heads: from `first` on, so many. */
export interface Heads {
  readonly first: number;
  readonly heads: number;
}

/** Tensors that live for the length of a kernel stay below this, where one head does not take more. */
const wantedBytes = 2 ** 27;

/**
 * Divides heads into parts whose intermediate results are of moderate size and can be bound.
 *
 * @param bytes of the largest intermediate result of a head
 * @param limit bytes that one binding may have; default: what the device allows
 * @throws ShapeError naming `argument`, if one head alone exceeds the limit
 */
export function partsOfHeads(argument: string, heads: number, bytes: number, limit = bindingLimit()): Heads[] {
  if (bytes > limit) {
    const expected = `at most ${limit} bytes of intermediate results for a head, which is what this GPU device binds`;
    const hint = 'Take fewer groups, or fewer keys for each.';
    throw new ShapeError({ argument, expected, actual: `${bytes} bytes`, hint });
  }
  const most = Math.max(1, Math.floor(Math.min(limit, wantedBytes) / bytes));
  return Array.from({ length: Math.ceil(heads / most) }, (_, i) => ({
    first: i * most,
    heads: Math.min(most, heads - i * most),
  }));
}

/** Computes part by part, and joins what that gives along the heads, which come first. */
export function overParts(parts: readonly Heads[], compute: (part: Heads) => tf.Tensor[]): tf.Tensor[] {
  const results = parts.map((part) => tf.tidy(() => compute(part)));
  const [first] = results as [tf.Tensor[]];
  return results.length === 1 ? first : first.map((_, i) => tf.concat(results.map((x) => x[i] as tf.Tensor)));
}
