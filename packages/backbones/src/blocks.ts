import {
  BatchNorm,
  constant,
  DepthwiseConv,
  DropPath,
  type FeatureGate,
  type FeatureGateSpec,
  type FeatureMap,
  type Grid,
  LayerNorm,
  type MixerContext,
  type MixerSpec,
  Mlp,
  Module,
  type Parameter,
  Pointwise,
  type TokenMixer,
} from '@saccade/nn';
import * as tf from '@tensorflow/tfjs-core';

/** What all blocks of a stage share. */
export interface BlockOptions extends MixerContext {
  /** hidden width of the MLP over dim */
  readonly mlpRatio: number;
  /** drop path rate of this block's residual branches */
  readonly dropPath: number;
  /** weighs the features that the block has mixed; default: none */
  readonly gate?: FeatureGateSpec | undefined;
}

/** A block of a stage: a residual map of features, [B, (T,) H, W, C] -> the same shape. */
export interface Block extends Module {
  forward<M extends FeatureMap>(x: M): M;
}

/**
 * UniFormer's convolution block (stages 1-2), on maps:
 *
 * ```
 * x += DW3(x);  x += conv2(DW5(conv1(BN(x))));  x += MLP(BN(x))
 * ```
 *
 * conv1, conv2 and the MLP are pointwise; there is no activation between conv1, DW5 and conv2. Drop path acts on the last
 * two branches. A gate stands after DW5, as it does in a bottleneck after the 3x3 convolution (inferred: nobody has
 * published the two together). Source: Li et al., arXiv 2201.04676, and its public code.
 */
export class ConvBlock extends Module implements Block {
  readonly posEmbed: DepthwiseConv;
  readonly norm1: BatchNorm;
  readonly conv1: Pointwise;
  readonly attn: DepthwiseConv;
  readonly conv2: Pointwise;
  readonly norm2: BatchNorm;
  readonly mlp: Mlp;
  readonly gate: FeatureGate | undefined;
  readonly #dropPath: DropPath;

  constructor({ dim, gridRank, mlpRatio, dropPath, rng, gate }: BlockOptions) {
    super();
    const pointwise = () => new Pointwise(dim, dim, { dimensions: gridRank, rng });
    this.posEmbed = this.child('pos_embed', new DepthwiseConv(dim, { kernel: cube(3, gridRank), rng }));
    this.norm1 = this.child('norm1', new BatchNorm(dim));
    this.conv1 = this.child('conv1', pointwise());
    this.attn = this.child('attn', new DepthwiseConv(dim, { kernel: cube(5, gridRank), rng }));
    this.gate = gate && this.child(gate.stateName ?? 'gate', gate.create({ channels: dim, rng: rng.fork('gate') }));
    this.conv2 = this.child('conv2', pointwise());
    this.norm2 = this.child('norm2', new BatchNorm(dim));
    this.mlp = this.child('mlp', new Mlp(dim, { hidden: dim * mlpRatio, kind: gridRank, rng }));
    this.#dropPath = this.child('drop_path', new DropPath(dropPath, rng.fork('drop_path')));
  }

  forward<M extends FeatureMap>(x: M): M {
    return tf.tidy(() => {
      const positioned = tf.add(x, this.posEmbed.forward(x)) as M;
      const spatial = this.attn.forward(this.conv1.forward(this.norm1.forward(positioned)));
      const local = this.conv2.forward(gated(this.gate, spatial));
      const mixed = tf.add(positioned, this.#dropPath.forward(local)) as M;
      return tf.add(mixed, this.#dropPath.forward(this.mlp.forward(this.norm2.forward(mixed)))) as M;
    });
  }
}

/** Options of {@link MixerBlock}. */
export interface MixerBlockOptions extends BlockOptions {
  readonly mixer: MixerSpec;
  /** first value of the layer scales gamma_1, gamma_2; default: no layer scale */
  readonly layerScale?: number | undefined;
}

/**
 * UniFormer's attention block (stages 3-4) with any token mixer in the place of attention:
 *
 * ```
 * x += DW3(x) on the map;  x += gamma_1 * Mixer(LN(x));  x += gamma_2 * MLP(LN(x)) on the tokens
 * ```
 *
 * LayerNorm eps 1e-6. A gate stands on what the mixer gives (inferred). With the StructSA mixer this is StructViT's block (arXiv 2404.03924, section 4.1).
 */
export class MixerBlock extends Module implements Block {
  readonly posEmbed: DepthwiseConv;
  readonly norm1: LayerNorm;
  readonly attn: TokenMixer;
  readonly norm2: LayerNorm;
  readonly mlp: Mlp;
  readonly gamma1: Parameter | undefined;
  readonly gamma2: Parameter | undefined;
  readonly gate: FeatureGate | undefined;
  readonly #dropPath: DropPath;

  constructor({ mixer, layerScale, ...options }: MixerBlockOptions) {
    super();
    const { dim, heads, gridRank, grid, mlpRatio, dropPath, rng, gate } = options;
    const scale = (name: string) =>
      layerScale === undefined ? undefined : this.parameter(name, [dim], { init: constant(layerScale) });
    this.gamma1 = scale('gamma_1');
    this.gamma2 = scale('gamma_2');
    this.posEmbed = this.child('pos_embed', new DepthwiseConv(dim, { kernel: cube(3, gridRank), rng }));
    this.norm1 = this.child('norm1', new LayerNorm(dim, 1e-6));
    this.attn = this.child('attn', mixer.create({ dim, heads, gridRank, ...(grid ? { grid } : {}), rng }));
    this.gate = gate && this.child(gate.stateName ?? 'gate', gate.create({ channels: dim, rng: rng.fork('gate') }));
    this.norm2 = this.child('norm2', new LayerNorm(dim, 1e-6));
    this.mlp = this.child('mlp', new Mlp(dim, { hidden: dim * mlpRatio, kind: 'linear', rng }));
    this.#dropPath = this.child('drop_path', new DropPath(dropPath, rng.fork('drop_path')));
  }

  forward<M extends FeatureMap>(x: M): M {
    return tf.tidy(() => {
      const channels = x.shape.at(-1) as number;
      const grid = x.shape.slice(1, -1) as unknown as Grid;
      const positioned = tf.add(x, this.posEmbed.forward(x));
      const tokens = tf.reshape(positioned, [x.shape[0], -1, channels]) as tf.Tensor3D;
      const attended = this.attn.forward(this.norm1.forward(tokens), grid);
      const weighed = gated(this.gate, tf.reshape(attended, x.shape) as M);
      const mixed = tf.add(tokens, this.#branch(tf.reshape(weighed, tokens.shape), this.gamma1)) as tf.Tensor3D;
      const refined = tf.add(mixed, this.#branch(this.mlp.forward(this.norm2.forward(mixed)), this.gamma2));
      return tf.reshape(refined, x.shape) as M;
    });
  }

  #branch(y: tf.Tensor3D, gamma: Parameter | undefined): tf.Tensor3D {
    return this.#dropPath.forward(gamma ? (tf.mul(y, gamma.variable) as tf.Tensor3D) : y);
  }
}

/** A map as the gate, if there is one, weighs it; images are clips of one frame. */
function gated<M extends FeatureMap>(gate: FeatureGate | undefined, map: M): M {
  if (!gate) return map;
  return tf.tidy(() => {
    const clip = (map.rank === 5 ? map : tf.expandDims(map, 1)) as tf.Tensor5D;
    return tf.reshape(gate.forward(clip), map.shape) as M;
  });
}

/** `size` along every axis of the grid. */
export function cube(size: number, gridRank: 2 | 3): number[] {
  return Array<number>(gridRank).fill(size);
}
