import { product } from '@saccade/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';
import { fromTorch, toTorch, type WeightLayout } from './layout.ts';
import type { StateTensor } from './stateDict.ts';

/** One entry of a state dict, as a module holds it. */
export interface StateEntry {
  /** the shape under which PyTorch knows it */
  readonly torchShape: readonly number[];
  read(): Promise<StateTensor>;
  write(tensor: StateTensor): void;
  dispose(): void;
}

/** A weight (trained) or a buffer (not): a tf.Variable in our layout, read and written in PyTorch's. */
export class Parameter implements StateEntry {
  readonly variable: tf.Variable;
  readonly layout: WeightLayout;

  constructor(values: Float32Array, shape: readonly number[], layout: WeightLayout, trainable: boolean) {
    const initial = tf.tensor(values, [...shape], 'float32');
    this.variable = tf.variable(initial, trainable);
    // tf.variable keeps a clone of its own.
    initial.dispose();
    this.layout = layout;
  }

  get torchShape(): number[] {
    return this.layout.torchShape(this.variable.shape);
  }

  async read(): Promise<StateTensor> {
    const values = (await this.variable.data()) as Float32Array;
    return { dtype: 'float32', shape: this.torchShape, data: toTorch(this.layout, this.variable.shape, values) };
  }

  write(tensor: StateTensor): void {
    const values = fromTorch(this.layout, this.variable.shape, numbers(tensor.data));
    tf.tidy(() => this.variable.assign(tf.tensor(values, this.variable.shape, 'float32')));
  }

  dispose(): void {
    this.variable.dispose();
  }
}

/** A 64-bit counter (`num_batches_tracked`); it lives on the host, since tfjs has no 64-bit integers. */
export class Counter implements StateEntry {
  readonly torchShape: readonly number[] = [];
  value = 0n;

  read(): Promise<StateTensor> {
    return Promise.resolve({ dtype: 'int64', shape: [], data: BigInt64Array.of(this.value) });
  }

  write({ data }: StateTensor): void {
    this.value = BigInt(data[0] as number | bigint);
  }

  dispose(): void {}
}

function numbers(data: StateTensor['data']): ArrayLike<number> {
  return data instanceof BigInt64Array || data instanceof BigUint64Array ? Array.from(data, Number) : data;
}

/** How many values a state entry holds. */
export function entrySize(entry: StateEntry): number {
  return product(entry.torchShape);
}
