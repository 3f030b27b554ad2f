import {
  assertHeads,
  assertTokens,
  constant,
  type Grid,
  Linear,
  type MixerSpec,
  Module,
  type OptimizerStep,
  type Parameter,
  type TokenMixer,
} from '@saccade/nn';
import { assertInteger, mergeHeads, Rng } from '@saccade/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';
import { groupSums, sampledCentroids, unitVectors, updatedCentroids } from './centroids.ts';
import { dgSelfAttentionCost } from './cost.ts';
import { attendInGroups, type DynamicGroupAttentionOptions, perHead, route } from './dynamicGroupAttention.ts';
import { type GroupMaps, withAttention } from './maps.ts';
import { type DgAttentionOptions, resolveOptions } from './options.ts';
import { type GroupUsage, usageOfSizes } from './usage.ts';

/** Options of {@link DgSelfAttention}. */
export interface DgSelfAttentionOptions extends DgAttentionOptions {
  /** channels C */
  readonly dim: number;
  /** must divide dim; the models of the paper have heads of 32 channels */
  readonly heads: number;
  /** P, tokens before those of the grid: queries and keys like the others; default 0 */
  readonly prefixTokens?: number;
  /** bias of the qkv projection; default true */
  readonly qkvBias?: boolean;
  /** seeds the weights and centroids; default: seed 0 */
  readonly rng?: Rng;
}

/** Takes groups, keys and attention from forward passes. */
export interface GroupRecorder {
  /** row-major positions on the grid of the queries whose attention is wanted; default: of none */
  readonly queries?: readonly number[];
  /** called with maps that are freed when it returns: read or clone what is to be kept. Keys count prefix tokens first. */
  receive(maps: GroupMaps): void;
}

/**
 * DG-Attention with its projections: `y = proj(dynamicGroupAttention(q, k, v, centroids))`, `q, k, v = qkv(x)`.
 *
 * `x` [B, P + N, C], the last N tokens on `grid` -> the same shape. State: `qkv.weight` [3C, C] with rows [q | k | v], each
 * [head][C/h], `qkv.bias`, `proj.weight` [C, C], `proj.bias`, `centroids` [h, G, C/h], which is not trained, and for `cosine`
 * `logit_scale` [h, 1, 1], which starts at ln 10 and which weight decay leaves alone.
 *
 * In training mode forward passes count the queries of each group; {@link Module.afterStep}, which `train()` of the engine
 * calls after every step of the optimiser, then moves the centroids by the mean of all queries since the last one, with
 * `tau = tauFactor * learningRate`, see {@link updatedCentroids}. Evaluation never does. A training loop of your own calls
 * `model.afterStep({learningRate})`; without it the centroids stay as they are.
 * See {@link dynamicGroupAttention} for the mathematics and how much of it is certain.
 */
export class DgSelfAttention extends Module implements TokenMixer {
  readonly dim: number;
  readonly heads: number;
  readonly prefixTokens: number;
  readonly options: Required<DgAttentionOptions>;
  readonly qkv: Linear;
  readonly proj: Linear;
  readonly centroids: Parameter;
  readonly logitScale: Parameter | undefined;
  /** Set it to receive maps from every forward pass; unset it when done. */
  recorder: GroupRecorder | undefined;
  /** [h, G, C/h + 1]: sums and counts of the queries since the last step of the optimiser */
  readonly #sums: tf.Variable;
  /** [h, G]: the counts of that step */
  readonly #counts: tf.Variable;
  readonly #sampling: Rng;
  /** What the centroids were made as: as long as they are that, nobody has loaded or moved them. */
  readonly #untouched: tf.DataId;
  /** The centroids to which `#sums` belong: where others have been loaded since, it is of another run. */
  #counted: tf.DataId;

  /** @throws ConfigError if heads do not divide dim, or for an option that cannot be */
  constructor(options: DgSelfAttentionOptions) {
    super();
    const { dim, heads, prefixTokens = 0, qkvBias = true, rng = new Rng(0) } = options;
    this.options = resolveOptions(options);
    assertHeads(dim, heads);
    assertInteger('prefixTokens', prefixTokens, 0);
    this.dim = dim;
    this.heads = heads;
    this.prefixTokens = prefixTokens;
    this.qkv = this.child('qkv', new Linear(dim, 3 * dim, { bias: qkvBias, rng }));
    this.proj = this.child('proj', new Linear(dim, dim, { rng }));
    const { groups, attention } = this.options;
    const size = dim / heads;
    this.centroids = this.buffer('centroids', [heads, groups, size], { init: unitVectors(rng.fork('centroids')) });
    this.#untouched = this.centroids.variable.dataId;
    this.#counted = this.#untouched;
    this.#sampling = rng.fork('queries');
    this.logitScale =
      attention === 'cosine'
        ? this.parameter('logit_scale', [heads, 1, 1], { init: constant(Math.log(10)), decay: false })
        : undefined;
    this.#sums = zeroVariable([heads, groups, size + 1]);
    this.#counts = zeroVariable([heads, groups]);
  }

  /** @throws ShapeError if x is not [B, P + N, C] or the grid does not have N positions */
  forward(x: tf.Tensor3D, grid: Grid): tf.Tensor3D {
    this.assertUsable();
    assertTokens(x, this.dim, grid, this.prefixTokens);
    return tf.tidy(() => {
      const [q, k, v] = tf.split(this.qkv.forward(x), 3, -1) as [tf.Tensor3D, tf.Tensor3D, tf.Tensor3D];
      const heads = perHead({ q, k, v }, this.heads);
      if (this.training) this.#sampleOnce(heads.q);
      const routing = route(heads, this.#centroids, this.#functionOptions);
      if (this.training) this.#count(heads.q, routing.assignment);
      const recorder = this.recorder;
      if (recorder) {
        const queries = recorder.queries?.map((query) => this.prefixTokens + query) ?? [];
        tf.tidy(() => recorder.receive(withAttention(heads, routing, { ...this.#functionOptions, queries })));
      }
      return this.proj.forward(mergeHeads(attendInGroups(heads, routing, this.#functionOptions)));
    });
  }

  /**
   * How the queries of each head were spread over its groups in the last step of training; all empty before the first.
   * Waits for the device.
   */
  async usage(): Promise<GroupUsage[]> {
    this.assertUsable();
    const counts = await this.#counts.data();
    const { groups } = this.options;
    return Array.from({ length: this.heads }, (_, head) =>
      usageOfSizes(counts.subarray(head * groups, (head + 1) * groups)),
    );
  }

  /** Forgets the queries that were counted since the last step, such as those of a forward pass that was only a look. */
  resetCounts(): void {
    this.assertUsable();
    tf.tidy(() => this.#sums.assign(tf.zerosLike(this.#sums)));
  }

  protected override stepped({ learningRate }: OptimizerStep): void {
    const { ema, renormalise, tauFactor } = this.options;
    this.#forgetOtherRun();
    tf.tidy(() => {
      const sums = this.#sums as unknown as tf.Tensor3D;
      const size = this.dim / this.heads;
      this.#counts.assign(tf.squeeze(tf.slice(sums, [0, 0, size], [-1, -1, 1]), [2]));
      const moved = updatedCentroids(this.#centroids, sums, { ema, renormalise, tau: tauFactor * learningRate });
      this.centroids.variable.assign(moved);
    });
    this.#counted = this.centroids.variable.dataId;
    this.resetCounts();
  }

  override dispose(): void {
    if (!this.#sums.isDisposed) tf.dispose([this.#sums, this.#counts]);
    super.dispose();
  }

  get #centroids(): tf.Tensor3D {
    return this.centroids.variable as unknown as tf.Tensor3D;
  }

  get #functionOptions(): DynamicGroupAttentionOptions {
    const logitScale = this.logitScale?.variable;
    return { ...this.options, heads: this.heads, ...(logitScale ? { logitScale } : {}) };
  }

  #sampleOnce(q: tf.Tensor4D): void {
    const { variable } = this.centroids;
    if (this.options.init !== 'queries' || variable.dataId !== this.#untouched) return;
    tf.tidy(() => variable.assign(sampledCentroids(q, this.#centroids, this.#sampling)));
  }

  #forgetOtherRun(): void {
    const { dataId } = this.centroids.variable;
    if (this.#counted === dataId) return;
    this.resetCounts();
    this.#counted = dataId;
  }

  #count(q: tf.Tensor4D, assignment: tf.Tensor3D): void {
    this.#forgetOtherRun();
    tf.tidy(() => this.#sums.assign(tf.add(this.#sums, groupSums(q, assignment, this.options.groups))));
  }
}

function zeroVariable(shape: readonly number[]): tf.Variable {
  return tf.tidy(() => tf.variable(tf.zeros([...shape]), false));
}

/** DG-Attention as a stage's mixer: `stages: [{mixer: dgAttention({groups: 48}), ...}]`. */
export function dgAttention(options: DgAttentionOptions = {}): MixerSpec {
  const { groups, topK, attention } = resolveOptions(options);
  return {
    name: `dg-${groups}-${topK}${attention === 'cosine' ? '-cosine' : ''}`,
    takesPrefixTokens: true,
    create: (context) => new DgSelfAttention({ ...options, ...context }),
    cost: (context) => dgSelfAttentionCost({ ...context, groups, topK, attention }),
  };
}
