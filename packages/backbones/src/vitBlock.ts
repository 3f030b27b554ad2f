import {
  constant,
  DropPath,
  type Grid,
  LayerNorm,
  type MixerContext,
  type MixerSpec,
  Mlp,
  Module,
  type Parameter,
  type TokenMixer,
} from '@saccade/nn';
import * as tf from '@tensorflow/tfjs-core';

/** Options of {@link TransformerBlock}. */
export interface TransformerBlockOptions extends MixerContext {
  readonly mixer: MixerSpec;
  /** hidden width of the MLP over dim */
  readonly mlpRatio: number;
  /** drop path rate of both residual branches */
  readonly dropPath: number;
  /** first value of the layer scales; default: none */
  readonly layerScale?: number | undefined;
}

/**
 * The block of vision transformers, with any token mixer in the place of attention, on tokens [B, P + N, C]:
 *
 * ```
 * x += ls1 * Mixer(LN(x));  x += ls2 * MLP(LN(x))
 * ```
 *
 * LayerNorm eps 1e-6; drop path on both branches. State, under the names of timm: `norm1`, `attn`, `norm2`, `mlp.fc1`,
 * `mlp.fc2`, and with layer scale `ls1.gamma`, `ls2.gamma`. Source: Dosovitskiy et al., arXiv 2010.11929; layer scale:
 * Touvron et al., arXiv 2103.17239.
 */
export class TransformerBlock extends Module {
  readonly norm1: LayerNorm;
  readonly attn: TokenMixer;
  readonly norm2: LayerNorm;
  readonly mlp: Mlp;
  readonly ls1: LayerScale | undefined;
  readonly ls2: LayerScale | undefined;
  readonly #dropPath: DropPath;

  constructor({ mixer, mlpRatio, dropPath, layerScale, ...context }: TransformerBlockOptions) {
    super();
    const { dim, rng } = context;
    const scale = (name: string) =>
      layerScale === undefined ? undefined : this.child(name, new LayerScale(dim, layerScale));
    this.norm1 = this.child('norm1', new LayerNorm(dim, 1e-6));
    this.attn = this.child('attn', mixer.create(context));
    this.ls1 = scale('ls1');
    this.norm2 = this.child('norm2', new LayerNorm(dim, 1e-6));
    this.mlp = this.child('mlp', new Mlp(dim, { hidden: dim * mlpRatio, kind: 'linear', rng }));
    this.ls2 = scale('ls2');
    this.#dropPath = this.child('drop_path', new DropPath(dropPath, rng.fork('drop_path')));
  }

  /** `x` [B, P + N, C], the last N tokens on `grid` -> the same shape. */
  forward(x: tf.Tensor3D, grid: Grid): tf.Tensor3D {
    return tf.tidy(() => {
      const mixed = tf.add(x, this.#branch(this.attn.forward(this.norm1.forward(x), grid), this.ls1)) as tf.Tensor3D;
      return tf.add(mixed, this.#branch(this.mlp.forward(this.norm2.forward(mixed)), this.ls2)) as tf.Tensor3D;
    });
  }

  #branch(y: tf.Tensor3D, scale: LayerScale | undefined): tf.Tensor3D {
    return this.#dropPath.forward(scale ? scale.forward(y) : y);
  }
}

/** A learned factor for each channel, [..., C] -> [..., C]. State: `gamma` [C]. */
class LayerScale extends Module {
  readonly gamma: Parameter;

  constructor(channels: number, value: number) {
    super();
    this.gamma = this.parameter('gamma', [channels], { init: constant(value) });
  }

  forward<T extends tf.Tensor>(x: T): T {
    this.assertUsable();
    return tf.mul(x, this.gamma.variable) as T;
  }
}
