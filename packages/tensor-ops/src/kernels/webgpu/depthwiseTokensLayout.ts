import type * as tf from '@tensorflow/tfjs-core';
import { ShapeError } from '../../errors.ts';
import { product } from '../../shape.ts';
import { bindingLimit } from '../../webgpu/bindingLimit.ts';
import type { WebGPUUniform } from '../../webgpu/program.ts';

/** The attributes of the kernel of `depthwiseTokens`. */
export interface TokenAttributes {
  /** [H, W] or [T, H, W] */
  readonly grid: readonly number[];
  readonly heads: number;
  readonly stride: number;
}

/** A kernel of the webgpu backend, with the names that its inputs really have; tfjs hands tensors to it. */
export function tokenKernel<Input extends string, Attributes>(
  kernelName: string,
  compute: (inputs: Record<Input, tf.Tensor>, attributes: Attributes) => tf.Tensor,
): tf.KernelConfig {
  const kernelFunc: tf.KernelFunc = ({ inputs, attrs }) =>
    compute(inputs as unknown as Record<Input, tf.Tensor>, attrs as unknown as Attributes);
  return { kernelName, backendName: 'webgpu', kernelFunc };
}

/** Sizes that the programs of `depthwiseTokens` share, and the code that goes with them. */
export interface TokenLayout {
  readonly batch: number;
  readonly channels: number;
  readonly heads: number;
  readonly detectors: number;
  /** filters of each channel's own, or one for all: 1 */
  readonly own: number;
  /** [T, H, W], [kt, kh, kw], and the strided [T, H', W'] */
  readonly grid: readonly number[];
  readonly kernel: readonly number[];
  readonly strided: readonly number[];
  readonly stride: number;
  /** detectors, and positions of a row, that one invocation computes: they share what it reads */
  readonly lanes: number;
  readonly tile: number;
  readonly tiles: number;
  readonly uniforms: readonly WebGPUUniform[];
}

/**
 * Most detectors and most columns of one invocation. Seven columns with four detectors read one number for four products
 * where one column reads more than one for each (and takes 4 times as long on a software driver). Many more sums than
 * these would leave the registers; a strided tile has `stride` columns of x, and as many sums in the gradient.
 */
const [mostLanes, mostColumns, mostColumnsOfX] = [4, 8, 32];

export function tokenLayout(
  batch: number,
  channels: number,
  filterShape: readonly number[],
  { grid, heads, stride }: TokenAttributes,
): TokenLayout {
  const [own, detectors] = filterShape.slice(-2) as [number, number];
  const clip = [...Array<number>(3 - grid.length).fill(1), ...grid] as [number, number, number];
  const kernel = [...Array<number>(3 - grid.length).fill(1), ...filterShape.slice(0, -2)] as [number, number, number];
  const strided = [clip[0], Math.ceil(clip[1] / stride), Math.ceil(clip[2] / stride)] as const;
  // A divisor of D, so that no invocation has less to do than the others.
  let lanes = Math.min(detectors, mostLanes);
  while (detectors % lanes !== 0) lanes--;
  // As few tiles in a row as can be, and all nearly full.
  const widest = Math.max(1, Math.min(mostColumns, Math.floor(mostColumnsOfX / stride)));
  const tiles = Math.ceil(strided[2] / widest);
  const tile = Math.ceil(strided[2] / tiles);
  const numbers = {
    ...{ frames: clip[0], height: clip[1], width: clip[2], rows: strided[1], columns: strided[2], tiles },
    ...{ kernelFrames: kernel[0], kernelHeight: kernel[1] },
    ...{ channels, headSize: channels / heads, detectors, own, positions: product(strided) },
  };
  const uniforms = Object.entries(numbers).map(([name, value]) => ({ name, type: 'i32', value }) as const);
  return { batch, channels, heads, detectors, own, grid: clip, kernel, strided, stride, lanes, tile, tiles, uniforms };
}

/** What changes the programs' code: part of their names. */
export function codeOf({ kernel, stride, lanes, tile }: TokenLayout): string {
  return [kernel[2], stride, tile, lanes].join('_');
}

/**
 * Functions of the programs' code. Structural tokens are [B, h, D*L, e]: where those of detector d lie for one position
 * and channel, the step to those of d + 1, and where the weights begin of a row of taps and a channel in [...kernel, own,
 * D].
 */
export const tokenFunctions = ({ kernel }: TokenLayout) => `
fn tokenAt(b : i32, c : i32, d : i32, l : i32) -> i32 {
  let head = b * (uniforms.channels / uniforms.headSize) + c / uniforms.headSize;
  return ((head * uniforms.detectors + d) * uniforms.positions + l) * uniforms.headSize + c % uniforms.headSize;
}
fn tokenStep() -> i32 { return uniforms.positions * uniforms.headSize; }
fn weightAt(u : i32, v : i32, c : i32) -> i32 {
  let tap = (u * uniforms.kernelHeight + v) * ${kernel[2]};
  return (tap * uniforms.own + select(c, 0, uniforms.own == 1)) * uniforms.detectors;
}
fn weightStep() -> i32 { return uniforms.own * uniforms.detectors; }`;

/**
 * Code that reads what the tile at the strided column `tile` sees of a row of x: x0, x1, ..., zero outside. `line` is the
 * number of the row, `c` the channel.
 */
export function readRow({ kernel, stride, tile }: TokenLayout): string {
  const width = kernel[2] as number;
  return `
    let left = tile * ${stride} - ${(width - 1) / 2};
    let start = (line * uniforms.width + left) * uniforms.channels + c;
    ${each((tile - 1) * stride + width, (i) => {
      const inside = `left + ${i} >= 0 && left + ${i} < uniforms.width`;
      return `let x${i} = select(0.0, x[start + ${i} * uniforms.channels], ${inside});`;
    })}`;
}

/** A line of code for each number below `count`: loops without an index at run time. */
export function each(count: number, line: (i: number) => string): string {
  return Array.from({ length: count }, (_, i) => line(i)).join('\n');
}

/** Invocations of a workgroup, in all programs here. */
export const groupSize = 64;

/**
 * At least `invocations` in workgroups along x and y, since x alone is limited to 65,535 of them; `invocationIndex` is
 * the code of an invocation's number.
 */
export function flatDispatch(invocations: number): readonly [number, number, number] {
  const groups = Math.ceil(invocations / groupSize);
  const rows = Math.ceil(groups / mostGroups);
  return [Math.ceil(groups / rows), rows, 1];
}

const mostGroups = 65_535;

export const invocationIndex = `i32((workgroupId.y * numWorkgroups.x + workgroupId.x) * ${groupSize}u + localIndex)`;

/** Throws unless the device can bind a float32 tensor of this shape: WebGPU would compute garbage without a word. */
export function assertBindable(argument: string, shape: readonly number[]): void {
  const most = bindingLimit();
  const bytes = 4 * product(shape);
  if (bytes > most) {
    const expected = `a tensor of at most ${most} bytes, which is what this GPU device binds`;
    const hint = 'Compute the batch in parts.';
    throw new ShapeError({ argument, expected, actual: `[${shape.join(',')}] = ${bytes} bytes`, hint });
  }
}
