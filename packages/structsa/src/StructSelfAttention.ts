import {
  assertHeads,
  assertTokens,
  depthwiseLayout,
  fanInUniform,
  type Grid,
  Linear,
  type MixerSpec,
  Module,
  type Parameter,
  type TokenMixer,
} from '@saccade/nn';
import { assertInteger, ConfigError, product, Rng } from '@saccade/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';
import { structSelfAttentionCost } from './cost.ts';
import { type StructureMaps, structureMaps } from './maps.ts';
import { type StructFilter, structAttention } from './structAttention.ts';

/** Which filters are one for all channels and heads: the paper's simplified forms, kept for comparison. */
export type SharedFilters = 'none' | 'v' | 'kv';

/** What makes one StructSA differ from another. */
export interface StructSAOptions {
  /** D, the number of structure detectors; default 4. D = 1 is ConvSA. */
  readonly detectors?: number;
  /** odd kernel of the detectors (on K): one size for all axes, or one for each; default 3 */
  readonly kernelK?: number | readonly number[];
  /** odd kernel of the aggregators (on V); default 3. Size 1 is element aggregation. */
  readonly kernelV?: number | readonly number[];
  /** spatial stride of keys and values; default 1 */
  readonly stride?: number;
  /** default `none`, the full operator; `v`: shared aggregation; `kv`: dot-product correlation as well */
  readonly sharedFilters?: SharedFilters;
}

/** Options of {@link StructSelfAttention}. */
export interface StructSelfAttentionOptions extends StructSAOptions {
  /** channels C */
  readonly dim: number;
  /** must divide dim; the paper's head size is 64 */
  readonly heads: number;
  /** 2 for images (default), 3 for clips */
  readonly gridRank?: 2 | 3;
  /** P, tokens before those of the grid, such as a class token; default 0. See {@link structAttention}. */
  readonly prefixTokens?: number;
  /** bias of the qkv projection; default true */
  readonly qkvBias?: boolean;
  /** seeds the weights; default: seed 0 */
  readonly rng?: Rng;
}

/** Takes the structure maps of chosen queries during a forward pass. */
export interface StructureRecorder {
  /** row-major positions of the queries on the grid */
  readonly queries: readonly number[];
  /** called with maps that are freed when it returns: read or clone what is to be kept */
  receive(maps: StructureMaps): void;
}

/**
 * Structural self-attention with its projections: `y = proj(structAttention(q, k, v))`, `q, k, v = qkv(x)`.
 *
 * `x` [B, P + N, C], the last N tokens on `grid` -> the same shape. State, under UniFormer's names: `qkv.weight` [3C, C], `qkv.bias`,
 * `proj.weight` [C, C], `proj.bias`, and (names of our own, no official ones exist) `conv_k.weight`, `conv_v.weight`
 * [C*D, 1, ...kernel] ([D, 1, ...kernel] where shared). See {@link structAttention} for the mathematics and sources.
 */
export class StructSelfAttention extends Module implements TokenMixer {
  readonly dim: number;
  readonly heads: number;
  readonly gridRank: 2 | 3;
  readonly stride: number;
  readonly prefixTokens: number;
  readonly qkv: Linear;
  readonly proj: Linear;
  readonly convK: Filters;
  readonly convV: Filters;
  /** Set it to receive structure maps from every forward pass; unset it when done. */
  recorder: StructureRecorder | undefined;

  /** @throws ConfigError if heads do not divide dim, or for a kernel, stride or D that cannot be */
  constructor(options: StructSelfAttentionOptions) {
    super();
    const { dim, heads, gridRank = 2, prefixTokens = 0, qkvBias = true, rng = new Rng(0) } = options;
    const { detectors, kernelK, kernelV, stride, sharedFilters } = resolveOptions(options, gridRank);
    assertHeads(dim, heads);
    assertInteger('prefixTokens', prefixTokens, 0);
    this.dim = dim;
    this.heads = heads;
    this.gridRank = gridRank;
    this.stride = stride;
    this.prefixTokens = prefixTokens;
    this.qkv = this.child('qkv', new Linear(dim, 3 * dim, { bias: qkvBias, rng }));
    this.proj = this.child('proj', new Linear(dim, dim, { rng }));
    this.convK = this.child('conv_k', new Filters(kernelK, sharedFilters === 'kv' ? 1 : dim, detectors, rng));
    this.convV = this.child('conv_v', new Filters(kernelV, sharedFilters === 'none' ? dim : 1, detectors, rng));
  }

  /** @throws ShapeError if x is not [B, N, C] or the grid does not have N positions; ConfigError for a grid of other axes */
  forward(x: tf.Tensor3D, grid: Grid): tf.Tensor3D {
    this.assertUsable();
    assertTokens(x, this.dim, grid, this.prefixTokens);
    if (grid.length !== this.gridRank) {
      const expected = this.gridRank === 3 ? '[T,H,W], since gridRank is 3' : '[H,W], since gridRank is 2';
      throw new ConfigError('grid', expected, grid);
    }
    return tf.tidy(() => {
      const [q, k, v] = tf.split(this.qkv.forward(x), 3, -1) as [tf.Tensor3D, tf.Tensor3D, tf.Tensor3D];
      const [convK, convV] = [this.convK.value, this.convV.value];
      const options = { grid, heads: this.heads, stride: this.stride, prefixTokens: this.prefixTokens };
      const recorder = this.recorder;
      if (recorder) {
        const { queries } = recorder;
        tf.tidy(() => recorder.receive(structureMaps(q, k, convK, convV, { ...options, queries })));
      }
      return this.proj.forward(structAttention(q, k, v, convK, convV, options));
    });
  }
}

/** The depthwise filters of the detectors or aggregators; they start as PyTorch convolutions do. */
class Filters extends Module {
  readonly weight: Parameter;

  constructor(kernel: readonly number[], channels: number, detectors: number, rng: Rng) {
    super();
    this.weight = this.parameter('weight', [...kernel, channels, detectors], {
      init: fanInUniform(rng, product(kernel)),
      layout: depthwiseLayout,
    });
  }

  get value(): StructFilter {
    return this.weight.variable as StructFilter;
  }
}

/** StructSA as a stage's mixer: `stages: [{mixer: structSA({detectors: 4}), ...}]`. */
export function structSA(options: StructSAOptions = {}): MixerSpec {
  const { detectors = 4, stride = 1 } = options;
  return {
    name: `structsa-${detectors}-${stride}`,
    takesPrefixTokens: true,
    create: (context) => new StructSelfAttention({ ...options, ...context }),
    cost: (context) =>
      structSelfAttentionCost({ ...resolveOptions(options, context.grid.length as 2 | 3), ...context }),
  };
}

/** Fills in defaults, makes kernels one size per axis of the grid, and checks every value. */
function resolveOptions(options: StructSAOptions, gridRank: 2 | 3) {
  const { detectors = 4, kernelK = 3, kernelV = 3, stride = 1, sharedFilters = 'none' } = options;
  assertInteger('detectors', detectors, 1);
  assertInteger('stride', stride, 1);
  return {
    detectors,
    stride,
    sharedFilters,
    kernelK: resolveKernel('kernelK', kernelK, gridRank),
    kernelV: resolveKernel('kernelV', kernelV, gridRank),
  };
}

function resolveKernel(option: string, kernel: number | readonly number[], gridRank: number): readonly number[] {
  const sizes = typeof kernel === 'number' ? Array<number>(gridRank).fill(kernel) : kernel;
  if (sizes.length !== gridRank || sizes.some((size) => !Number.isSafeInteger(size) || size < 1 || size % 2 === 0)) {
    throw new ConfigError(option, `an odd size, or ${gridRank} odd sizes on a grid of ${gridRank} axes`, kernel);
  }
  return sizes;
}
