import * as tf from '@tensorflow/tfjs-core';
import type { NetworkWeights } from '../../onnx/layers.ts';

/**
 * Layers by the operations of TensorFlow.js, as one writes them who has a state dict of PyTorch and only tfjs' reference at
 * hand: this is what our own kernels are measured against. Tensors are made when they are first asked for, in tfjs' layouts.
 */
export class StockWeights {
  readonly #weights: NetworkWeights;
  readonly #tensors = new Map<string, tf.Tensor>();

  constructor(weights: NetworkWeights) {
    this.#weights = weights;
  }

  has(name: string): boolean {
    return this.#weights.has(name);
  }

  /** A weight in PyTorch's layout, or with its axes in another order. */
  tensor(name: string, order?: readonly number[]): tf.Tensor {
    const known = this.#tensors.get(name);
    if (known !== undefined) return known;
    const weight = this.#weights.get(name);
    if (weight === undefined) throw new Error(`the network has no weight ${name}`);
    const made = tf.tidy(() => {
      const tensor = tf.tensor(weight.data, [...weight.shape]);
      return tf.keep(order ? tf.transpose(tensor, [...order]) : tensor);
    });
    this.#tensors.set(name, made);
    return made;
  }

  /** [..., I] -> [..., O] */
  linear(x: tf.Tensor, name: string): tf.Tensor {
    const weight = this.tensor(`${name}.weight`, [1, 0]) as tf.Tensor2D;
    const rows = tf.reshape(x, [-1, weight.shape[0]]) as tf.Tensor2D;
    const y = tf.add(tf.matMul(rows, weight), this.tensor(`${name}.bias`));
    return tf.reshape(y, [...x.shape.slice(0, -1), weight.shape[1]]);
  }

  /** A square kernel on [B, H, W, C]. */
  convolution(x: tf.Tensor4D, name: string, stride: number, padding: number): tf.Tensor4D {
    const filter = this.tensor(`${name}.weight`, [2, 3, 1, 0]) as tf.Tensor4D;
    const y = tf.conv2d(x, filter, stride, padding);
    return this.has(`${name}.bias`) ? tf.add(y, this.tensor(`${name}.bias`)) : y;
  }

  /** Over the last axis. */
  layerNorm(x: tf.Tensor, name: string, epsilon: number): tf.Tensor {
    const { mean, variance } = tf.moments(x, -1, true);
    const normalized = tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, epsilon)));
    return tf.add(tf.mul(normalized, this.tensor(`${name}.weight`)), this.tensor(`${name}.bias`));
  }

  /** With running statistics, on [B, H, W, C]. */
  batchNorm(x: tf.Tensor4D, name: string, epsilon: number): tf.Tensor4D {
    const part = (suffix: string) => this.tensor(`${name}.${suffix}`) as tf.Tensor1D;
    return tf.batchNorm(
      x,
      part('running_mean'),
      part('running_var'),
      part('bias'),
      part('weight'),
      epsilon,
    ) as tf.Tensor4D;
  }

  dispose(): void {
    tf.dispose([...this.#tensors.values()]);
    this.#tensors.clear();
  }
}
