import {
  assertHeads,
  type Initializer,
  Linear,
  type MixerSpec,
  Module,
  normal,
  type Parameter,
  type TokenMixer,
  zeros,
} from '@saccade/nn';
import { assertInteger, assertShape, ConfigError, product, Rng } from '@saccade/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';
import { assertCompute, type LisaCompute } from './compute.ts';
import { lisaSelfAttentionCost } from './cost.ts';
import { assertMode, type LisaMode, type LisaTables, lisaAttention } from './lisaAttention.ts';
import { type LisaMaps, lisaMaps } from './maps.ts';
import { type QkNorm, resolveQkNorm } from './qkNorm.ts';
import { resizeTables } from './resize.ts';
import {
  assertLisaGrid,
  assertPadding,
  assertSizes,
  type LisaGrid,
  type LisaPadding,
  tableShape,
  withIdentity,
} from './tables.ts';

/** What makes one LiSA differ from another. */
export interface LisaOptions {
  /** default `structure`, the only mode with a set of tables whose patterns change the kernel */
  readonly mode?: LisaMode;
  /** default `zero`: exact offsets, nothing wraps around. `circular` has fewer parameters, and images meet their other side. */
  readonly padding?: LisaPadding;
  /** D, structural patterns of mode `structure`; default 8 */
  readonly patterns?: number;
  /** default `l2` in mode `structure`, else `none` */
  readonly qkNorm?: QkNorm;
  /**
   * whether tables act with 1 added at offset 0, of pattern d = 0 (`structure`) or of every channel (`hadamard`); default
   * true. Not stored, so that neither weight decay nor resizing touches it; of no meaning in mode `kernelized`.
   */
  readonly identity?: boolean;
  /** default `auto` */
  readonly compute?: LisaCompute;
}

/** Options of {@link LisaSelfAttention}. */
export interface LisaSelfAttentionOptions extends LisaOptions {
  /** channels C */
  readonly dim: number;
  /** must divide dim */
  readonly heads: number;
  /** [S], [H, W] or [T, H, W]: the grid for which the tables are learned */
  readonly grid: LisaGrid;
  /** bias of the qkv projection; default true */
  readonly qkvBias?: boolean;
  /** seeds the weights; default: seed 0 */
  readonly rng?: Rng;
}

/** Takes the maps of chosen queries during a forward pass. */
export interface LisaRecorder {
  /** row-major positions of the queries on the grid */
  readonly queries: readonly number[];
  /** called with maps that are freed when it returns: read or clone what is to be kept */
  receive(maps: LisaMaps): void;
}

/**
 * LiSA with its projections: `y = proj(lisaAttention(q, k, v, tables))`, `q, k, v = qkv(x)`.
 *
 * `x` [B, N, C] on `grid` -> [B, N, C]. State: `qkv.weight` [3C, C], `qkv.bias`, `proj.weight` [C, C], `proj.bias`, and the
 * tables, `rpe_p` and `rpe_u` [h, D, ...offsets] (`structure`), `rpe_r` [h, ...offsets] (`kernelized`, R = exp(rpe_r)) or
 * `rpe_c` [h, C/h, ...offsets] (`hadamard`). They start normal of std `0.25/sqrt(N)`, `rpe_r` at zero, and do not decay.
 *
 * On a grid of another size the tables are resized on the way, see {@link resizeTables}: at every call, since that costs
 * next to nothing beside the attention, and weights may have changed. There is no class token: it has no place on a grid.
 * See {@link lisaAttention} for the mathematics and what it rests on.
 */
export class LisaSelfAttention extends Module implements TokenMixer {
  readonly dim: number;
  readonly heads: number;
  readonly mode: LisaMode;
  readonly padding: LisaPadding;
  readonly qkNorm: QkNorm;
  readonly identity: boolean;
  readonly compute: LisaCompute;
  /** for which the stored tables are */
  readonly grid: LisaGrid;
  readonly qkv: Linear;
  readonly proj: Linear;
  readonly #tables: readonly Parameter[];
  /** Set it to receive maps from every forward pass; unset it when done. */
  recorder: LisaRecorder | undefined;

  /** @throws ConfigError if heads do not divide dim, or for a grid or an option that cannot be */
  constructor(options: LisaSelfAttentionOptions) {
    super();
    const { dim, heads, grid, qkvBias = true, rng = new Rng(0) } = options;
    const { mode, padding, patterns, qkNorm, identity, compute } = resolveOptions(options);
    assertHeads(dim, heads);
    assertSizes('grid', grid);
    this.dim = dim;
    this.heads = heads;
    this.mode = mode;
    this.padding = padding;
    this.qkNorm = qkNorm;
    this.identity = identity;
    this.compute = compute;
    this.grid = [...grid];
    this.qkv = this.child('qkv', new Linear(dim, 3 * dim, { bias: qkvBias, rng }));
    this.proj = this.child('proj', new Linear(dim, dim, { rng }));
    const table = (name: string, rows: readonly number[], init: Initializer) =>
      this.parameter(name, [heads, ...rows, ...tableShape(grid, padding)], { init, decay: false });
    const small = normal(rng.fork('tables'), 0.25 / Math.sqrt(product(grid)));
    this.#tables =
      mode === 'structure'
        ? [table('rpe_p', [patterns], small), table('rpe_u', [patterns], small)]
        : mode === 'kernelized'
          ? [table('rpe_r', [], zeros)]
          : [table('rpe_c', [dim / heads], small)];
  }

  /**
   * The tables that act on `grid` (default: that of the layer), the caller's to dispose: resized where the grid is another
   * one, with the identity path, R = exp(rpe_r) in mode `kernelized`. Differentiable in the stored ones.
   *
   * @throws ConfigError for a grid of other axes
   */
  tables(grid: LisaGrid = this.grid): LisaTables {
    this.assertUsable();
    assertSizes('grid', grid);
    if (grid.length !== this.grid.length) {
      throw new ConfigError('grid', `${this.grid.length} axes, as the tables of this layer have`, grid);
    }
    const { mode, padding } = this;
    const same = grid.every((size, axis) => size === this.grid[axis]);
    const acting = tf.tidy(() =>
      this.#tables.map(({ variable }) => {
        const sized = same
          ? tf.clone(variable)
          : resizeTables(variable, { from: this.grid, to: grid, padding, area: mode !== 'kernelized' });
        if (mode === 'kernelized') return tf.exp(sized);
        return this.identity ? withIdentity(sized, grid, padding, mode === 'structure' ? 'first' : 'all') : sized;
      }),
    );
    const [first, second] = acting as [tf.Tensor, tf.Tensor];
    return mode === 'structure' ? { mode, p: first, u: second } : { mode, r: first };
  }

  /** @throws ShapeError if x is not [B, N, C] or the grid does not have N positions; ConfigError for a grid of other axes */
  forward(x: tf.Tensor3D, grid: LisaGrid): tf.Tensor3D {
    this.assertUsable();
    assertShape('x', x, ['B', 'N', this.dim]);
    assertLisaGrid(x.shape[1], grid);
    return tf.tidy(() => {
      const [q, k, v] = tf.split(this.qkv.forward(x), 3, -1) as [tf.Tensor3D, tf.Tensor3D, tf.Tensor3D];
      const { heads, padding, qkNorm, compute, recorder } = this;
      const tables = this.tables(grid);
      const options = { grid, heads, padding, qkNorm, compute };
      if (recorder) {
        const { queries } = recorder;
        tf.tidy(() => recorder.receive(lisaMaps(q, k, tables, { ...options, queries })));
      }
      return this.proj.forward(lisaAttention(q, k, v, tables, options));
    });
  }
}

/**
 * LiSA as a stage's mixer: `stages: [{mixer: lisa({mode: 'hadamard'}), ...}]`.
 *
 * Its tables are for a grid: vision transformers know theirs, a `Backbone` needs `inputSize` in its configuration.
 */
export function lisa(options: LisaOptions = {}): MixerSpec {
  const { mode, padding, patterns } = resolveOptions(options);
  return {
    name: ['lisa', mode, ...(mode === 'structure' ? [patterns] : []), padding].join('-'),
    create: ({ grid, prefixTokens = 0, gridRank, ...context }) => {
      if (prefixTokens !== 0) {
        const hint = 'LiSA weighs by offsets on the grid, on which a class token has no place: use mean pooling.';
        throw new ConfigError('prefixTokens', '0 for LiSA', prefixTokens, hint);
      }
      if (grid === undefined) {
        const hint = 'Its tables have an entry for each offset: give the backbone an `inputSize`, such as [224, 224].';
        throw new ConfigError('grid', 'the grid of the tokens, for LiSA', grid, hint);
      }
      if (grid.length !== gridRank) {
        throw new ConfigError('grid', `${gridRank} axes, since gridRank is ${gridRank}`, grid);
      }
      return new LisaSelfAttention({ ...options, ...context, grid });
    },
    cost: (context) => lisaSelfAttentionCost({ ...resolveOptions(options), ...context }),
  };
}

/** Fills in defaults, and checks every value. */
function resolveOptions({ mode = 'structure', padding = 'zero', patterns = 8, ...others }: LisaOptions) {
  const { qkNorm, identity = true, compute = 'auto' } = others;
  assertMode(mode);
  assertPadding(padding);
  assertInteger('patterns', patterns, 1);
  assertCompute(compute);
  return { mode, padding, patterns, qkNorm: resolveQkNorm(mode, qkNorm), identity, compute };
}
