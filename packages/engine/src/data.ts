import { assertInteger, ConfigError, Rng } from '@saccade/tensor-ops';
import type * as tf from '@tensorflow/tfjs-core';
import type { Labels } from './losses.ts';

/** Inputs and what they should come out as. The loops dispose what is a tensor in it. */
export interface Batch<X extends tf.Tensor = tf.Tensor, L extends Labels = Labels> {
  readonly inputs: X;
  readonly labels: L;
}

/** Samples 0 ... length-1, read in batches. */
export interface BatchSource<X extends tf.Tensor = tf.Tensor, L extends Labels = Labels> {
  readonly length: number;
  /** Reads the samples of a batch; the same indices should give the same batch, or a resumed run differs. */
  batch(indices: readonly number[]): Batch<X, L> | Promise<Batch<X, L>>;
}

/** Batches by the number of the step that trains on them: what reads ahead, such as a loader of `@saccade/datasets`. */
export interface StepSource<X extends tf.Tensor = tf.Tensor, L extends Labels = Labels> {
  /** of the order of the samples: the batch of a step depends on (seed, step) alone, or a resumed run differs */
  readonly seed: number;
  /** the epoch, from 0, that a step belongs to */
  epochOf(step: number): number;
  /** @param options `end`: the step at which the run ends; nothing beyond needs to be read ahead */
  at(
    step: number,
    options: { readonly signal?: AbortSignal | undefined; readonly end: number },
  ): Batch<X, L> | Promise<Batch<X, L>>;
}

/**
 * The order in which a run sees its samples: each epoch is a shuffle of all of them that depends on (seed, epoch) alone.
 *
 * Samples that do not fill a last batch are left out of that epoch; another shuffle leaves out others.
 */
export class EpochOrder {
  readonly stepsPerEpoch: number;
  readonly #length: number;
  readonly #batchSize: number;
  readonly #seed: number;
  #current: { readonly epoch: number; readonly indices: readonly number[] } | undefined;

  /** @throws ConfigError if there is not one full batch */
  constructor(length: number, batchSize: number, seed: number) {
    assertInteger('batchSize', batchSize, 1);
    if (!(length >= batchSize))
      throw new ConfigError('batchSize', `at most the ${length} samples there are`, batchSize);
    this.stepsPerEpoch = Math.floor(length / batchSize);
    this.#length = length;
    this.#batchSize = batchSize;
    this.#seed = seed;
  }

  epochOf(step: number): number {
    return Math.floor(step / this.stepsPerEpoch);
  }

  /** The samples of the batch of a step. */
  indices(step: number): readonly number[] {
    const epoch = this.epochOf(step);
    if (this.#current?.epoch !== epoch) {
      const all = Array.from({ length: this.#length }, (_, i) => i);
      this.#current = { epoch, indices: new Rng(this.#seed).fork(`epoch ${epoch}`).shuffle(all) };
    }
    const start = (step % this.stepsPerEpoch) * this.#batchSize;
    return this.#current.indices.slice(start, start + this.#batchSize);
  }
}

/**
 * The batches of a run by their steps: those of a {@link StepSource}, or those that {@link EpochOrder} makes of samples.
 *
 * @throws ConfigError if samples come without a size of batches, or steps with a seed that is not theirs
 */
export function stepsOf<X extends tf.Tensor, L extends Labels>(
  data: BatchSource<X, L> | StepSource<X, L>,
  { batchSize, seed }: { readonly batchSize?: number | undefined; readonly seed?: number | undefined },
): StepSource<X, L> {
  if ('at' in data) {
    if (seed !== undefined && seed !== data.seed) throw new ConfigError('seed', `${data.seed}, that of the data`, seed);
    return data;
  }
  if (batchSize === undefined) throw new ConfigError('batchSize', 'a number of samples', batchSize);
  const order = new EpochOrder(data.length, batchSize, seed ?? 0);
  return {
    seed: seed ?? 0,
    epochOf: (step) => order.epochOf(step),
    at: (step) => data.batch(order.indices(step)),
  };
}

/** All samples once, in their order; the last batch may be smaller. For evaluation. */
export async function* batchesInOrder<X extends tf.Tensor, L extends Labels>(
  source: BatchSource<X, L>,
  batchSize: number,
): AsyncGenerator<Batch<X, L>> {
  assertInteger('batchSize', batchSize, 1);
  for (let start = 0; start < source.length; start += batchSize) {
    const count = Math.min(batchSize, source.length - start);
    yield source.batch(Array.from({ length: count }, (_, i) => start + i));
  }
}

/** The batches of steps 0 ... end-1. For evaluation. */
export async function* batchesOfSteps<X extends tf.Tensor, L extends Labels>(
  source: StepSource<X, L>,
  end: number,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): AsyncGenerator<Batch<X, L>> {
  assertInteger('end', end, 0);
  for (let step = 0; step < end; step++) yield source.at(step, { signal, end });
}
