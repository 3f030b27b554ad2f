import { readFile } from 'node:fs/promises';
import type { StateTensor } from '@saccade/nn';
import { parseSafetensors } from '@saccade/weights';
import * as tf from '@tensorflow/tfjs-core';
import type { BackboneConfig } from '../config.ts';
import { fourStages } from '../uniformer.ts';

const FOLDER = '../../../../tooling/conformance/golden/structsa/';

/** A file of PyTorch's numbers: a small UniFormer that was run by its public code. */
export class Golden {
  readonly #file: ReturnType<typeof parseSafetensors>;

  private constructor(file: ReturnType<typeof parseSafetensors>) {
    this.#file = file;
  }

  static async open(name: string): Promise<Golden> {
    return new Golden(parseSafetensors(await readFile(new URL(`${FOLDER}${name}.safetensors`, import.meta.url))));
  }

  /** The state dict under PyTorch's names. */
  get state(): Map<string, StateTensor> {
    const names = this.#file.names.filter((name) => name.startsWith('state.'));
    return new Map(names.map((name) => [name.slice('state.'.length), this.#file.get(name)]));
  }

  values(name: string): Float32Array {
    return this.#file.get(name).data as Float32Array;
  }

  /** A map of [B, C, (T,) H, W], channels last. */
  map(name: string): tf.Tensor {
    const { shape, data } = this.#file.get(name);
    const axes = shape.map((_, axis) => axis);
    return tf.tidy(() => tf.transpose(tf.tensor(data as Float32Array, [...shape]), [0, ...axes.slice(2), 1]));
  }

  /** The network of which it holds the weights. */
  config(options: Pick<Parameters<typeof fourStages>[0], 'mixer' | 'gridRank'> = {}): BackboneConfig {
    const numbers = (key: string) => (this.#file.metadata.get(key) ?? '').split(',').map(Number);
    const plan = { depths: numbers('depth'), dims: numbers('embed_dim'), headDim: numbers('head_dim')[0] as number };
    return { ...fourStages({ ...plan, ...options }), numClasses: numbers('num_classes')[0] as number };
  }
}
