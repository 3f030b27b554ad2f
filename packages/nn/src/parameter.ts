import { ConfigError, product, ShapeError } from '@saccade/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';
import { fromTorch, toTorch, type WeightLayout } from './layout.ts';
import type { SavedTensor, StateTensor } from './stateDict.ts';

/** One entry of a state dict, as a module holds it. */
export interface StateEntry {
  /** the shape under which PyTorch knows it */
  readonly torchShape: readonly number[];
  read(): Promise<SavedTensor>;
  /** Throws a SaccadeError if {@link StateEntry.write} could not take the values of `tensor`; its shape fits. */
  check(name: string, tensor: StateTensor): void;
  write(tensor: StateTensor): void;
  dispose(): void;
}

/** A weight (trained) or a buffer (not): a tf.Variable in our layout, read and written in PyTorch's. */
export class Parameter implements StateEntry {
  readonly variable: tf.Variable;
  readonly layout: WeightLayout;
  /** false: weight decay leaves it alone whatever its shape is; optimisers ask */
  readonly decay: boolean;

  constructor(values: Float32Array, shape: readonly number[], layout: WeightLayout, trainable: boolean, decay = true) {
    const initial = tf.tensor(values, [...shape], 'float32');
    this.variable = tf.variable(initial, trainable);
    // tf.variable keeps a clone of its own.
    initial.dispose();
    this.layout = layout;
    this.decay = decay;
  }

  get torchShape(): number[] {
    return this.layout.torchShape(this.variable.shape);
  }

  async read(): Promise<SavedTensor> {
    const values = (await this.variable.data()) as Float32Array;
    return { dtype: 'float32', shape: this.torchShape, data: toTorch(this.layout, this.variable.shape, values) };
  }

  check(name: string, { data }: StateTensor): void {
    assertLength(name, data.length, this.variable.size);
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

  read(): Promise<SavedTensor> {
    return Promise.resolve({ dtype: 'int64', shape: [], data: BigInt64Array.of(this.value) });
  }

  check(name: string, { data }: StateTensor): void {
    assertLength(name, data.length, 1);
    if (!Number.isInteger(Number(data[0]))) throw new ConfigError(name, 'a whole number', data[0]);
  }

  write({ data }: StateTensor): void {
    this.value = BigInt(data[0] as number | bigint);
  }

  dispose(): void {}
}

function assertLength(name: string, actual: number, expected: number): void {
  if (actual === expected) return;
  throw new ShapeError({ argument: name, expected: `${expected} values, as its shape says`, actual: `${actual}` });
}

function numbers(data: StateTensor['data']): ArrayLike<number> {
  return data instanceof BigInt64Array || data instanceof BigUint64Array ? Array.from(data, Number) : data;
}

/** How many values a state entry holds. */
export function entrySize(entry: StateEntry): number {
  return product(entry.torchShape);
}
