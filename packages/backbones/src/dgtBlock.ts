import {
  DropPath,
  type Grid,
  LayerNorm,
  type MixerContext,
  type MixerSpec,
  Module,
  type TokenMixer,
} from '@saccade/nn';
import * as tf from '@tensorflow/tfjs-core';
import { ConditionalPositionEmbedding } from './dgtLayers.ts';
import { InvertedResidualFfn } from './invertedResidualFfn.ts';

/** Where the LayerNorms of a block stand: before what a residual branch computes, or behind it. */
export type NormOrder = 'pre' | 'post';

/** Options of {@link DgtBlock}. */
export interface DgtBlockOptions extends Omit<MixerContext, 'gridRank' | 'prefixTokens' | 'qkvBias'> {
  readonly mixer: MixerSpec;
  readonly normOrder: NormOrder;
  /** for `post`: the LayerNorms start with weight 0, so that the block starts as its position embedding; default false */
  readonly zeroInitNorms?: boolean;
  /** width of the feed-forward network */
  readonly hidden: number;
  /** drop path rate of both residual branches */
  readonly dropPath: number;
}

/**
 * The block of DGT, with any token mixer in the place of DG-Attention, on maps [B, H, W, C]:
 *
 * ```
 * x = CPE(x);
 * pre:   x += Mixer(LN(x));  x += IRFFN(LN(x))
 * post:  x += LN(Mixer(x));  x += LN(IRFFN(x))
 * ```
 *
 * LayerNorm eps 1e-6; drop path on both branches. State: `cpe`, `norm1`, `attn`, `norm2`, `ffn`. The order of DGT-T (`pre`)
 * and of DGT-S and -B (`post`) is as commonly cited for arXiv 2203.03937, the form of `post` is that of Swin V2 (arXiv
 * 2111.09883); neither is verified against the paper.
 */
export class DgtBlock extends Module {
  readonly normOrder: NormOrder;
  readonly cpe: ConditionalPositionEmbedding;
  readonly norm1: LayerNorm;
  readonly attn: TokenMixer;
  readonly norm2: LayerNorm;
  readonly ffn: InvertedResidualFfn;
  readonly #dropPath: DropPath;

  constructor({ mixer, normOrder, zeroInitNorms = false, hidden, dropPath, ...context }: DgtBlockOptions) {
    super();
    const { dim, rng } = context;
    this.normOrder = normOrder;
    this.cpe = this.child('cpe', new ConditionalPositionEmbedding(dim, { rng }));
    this.norm1 = this.child('norm1', new LayerNorm(dim, 1e-6));
    this.attn = this.child('attn', mixer.create({ ...context, gridRank: 2 }));
    this.norm2 = this.child('norm2', new LayerNorm(dim, 1e-6));
    this.ffn = this.child('ffn', new InvertedResidualFfn(dim, { hidden, rng }));
    this.#dropPath = this.child('drop_path', new DropPath(dropPath, rng.fork('drop_path')));
    if (zeroInitNorms) {
      for (const { weight } of [this.norm1, this.norm2]) tf.tidy(() => weight.variable.assign(tf.zeros([dim])));
    }
  }

  forward(x: tf.Tensor4D): tf.Tensor4D {
    return tf.tidy(() => {
      const positioned = this.cpe.forward(x);
      const mixed = this.#residual(positioned, this.norm1, (map) => this.#mix(map));
      return this.#residual(mixed, this.norm2, (map) => this.ffn.forward(map));
    });
  }

  #residual(x: tf.Tensor4D, norm: LayerNorm, branch: (map: tf.Tensor4D) => tf.Tensor4D): tf.Tensor4D {
    return tf.tidy(() => {
      const y = this.normOrder === 'pre' ? branch(norm.forward(x)) : norm.forward(branch(x));
      return tf.add(x, this.#dropPath.forward(y));
    });
  }

  #mix(map: tf.Tensor4D): tf.Tensor4D {
    const [batch, height, width, channels] = map.shape;
    const grid: Grid = [height, width];
    const tokens = tf.reshape(map, [batch, height * width, channels]) as tf.Tensor3D;
    return tf.reshape(this.attn.forward(tokens, grid), map.shape);
  }
}
