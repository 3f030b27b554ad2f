import { DatasetError } from '../errors.ts';
import { RandomStream } from '../random.ts';
import { checkChoice, checkInteger } from './checks.ts';

/** How samples that do not divide among the ranks are dealt with. */
export const UNEVEN = ['exact', 'pad', 'drop'] as const;
/** One of {@link UNEVEN}. */
export type Uneven = (typeof UNEVEN)[number];

/** What decides the order in which samples are read, and who reads them. */
export interface OrderOptions {
  /** B, samples of a batch of this rank */
  readonly batchSize: number;
  /** another order in each epoch; default true. Without, samples come in the order of their numbers. */
  readonly shuffle?: boolean | undefined;
  /** of the shuffles; default 0 */
  readonly seed?: number | undefined;
  /** which of `world` processes this one is, from 0; default 0 */
  readonly rank?: number | undefined;
  /** processes that share the samples of an epoch; default 1 */
  readonly world?: number | undefined;
  /**
   * Where the samples N are no multiple of `world`:
   * - `exact` (default): each sample once; some ranks have one more than others. For evaluation.
   * - `pad`: the first samples of the epoch come a second time, until all ranks have as many. For training in step.
   * - `drop`: up to `world - 1` samples, the last of the epoch, are left out. For training in step.
   */
  readonly uneven?: Uneven | undefined;
  /** what becomes of a last batch with fewer than B samples: it is left out (`drop`, default) or given as it is (`keep`) */
  readonly last?: 'drop' | 'keep' | undefined;
}

/**
 * The samples of every step of a run, as a function of (N, options, step) alone.
 *
 * In epoch e all ranks take the same permutation p of the N samples, made from (seed, e); rank r has p[r], p[r + world],
 * p[r + 2 world], ... and cuts them into batches in that order. So each sample of an epoch is read once over all ranks,
 * except for what `uneven` and `last` say.
 *
 * @throws DatasetError `option` for values that cannot work, and where no rank, or this one, has a batch in an epoch
 */
export class SampleOrder {
  /** N */
  readonly length: number;
  readonly options: Readonly<Required<{ [K in keyof OrderOptions]: Exclude<OrderOptions[K], undefined> }>>;
  /** samples of this rank in an epoch */
  readonly samplesPerEpoch: number;
  /** batches of this rank in an epoch */
  readonly stepsPerEpoch: number;
  /** Of the latest epochs: reading ahead looks into the next one. */
  readonly #permutations = new Map<number, Uint32Array>();

  constructor(length: number, options: OrderOptions) {
    const { batchSize, shuffle = true, seed = 0, rank = 0, world = 1, uneven = 'exact', last = 'drop' } = options;
    checkInteger('length', length, 0, 2 ** 32 - 1);
    checkInteger('batchSize', batchSize, 1);
    checkInteger('seed', seed, Number.MIN_SAFE_INTEGER);
    checkInteger('world', world, 1);
    checkInteger('rank', rank, 0, world - 1);
    checkChoice('uneven', uneven, UNEVEN);
    checkChoice('last', last, ['drop', 'keep']);
    this.length = length;
    this.options = { batchSize, shuffle, seed, rank, world, uneven, last };
    const share = length / world;
    this.samplesPerEpoch =
      uneven === 'pad' ? Math.ceil(share) : uneven === 'drop' ? Math.floor(share) : Math.ceil((length - rank) / world);
    const batches = this.samplesPerEpoch / batchSize;
    this.stepsPerEpoch = last === 'drop' ? Math.floor(batches) : Math.ceil(batches);
    if (this.stepsPerEpoch < 1) {
      throw new DatasetError({
        code: 'option',
        argument: 'batchSize',
        expected: `at least one batch an epoch of the ${this.samplesPerEpoch} samples of rank ${rank}`,
        actual: `${batchSize} samples a batch, the last ${last === 'drop' ? 'dropped' : 'kept'}`,
        hint: "Take smaller batches or fewer ranks, or last: 'keep'.",
      });
    }
  }

  /** The epoch, from 0, that a step belongs to. */
  epochOf(step: number): number {
    return Math.floor(step / this.stepsPerEpoch);
  }

  /**
   * The numbers of the samples of a step's batch.
   *
   * @throws DatasetError `option` for a step that is no integer >= 0
   */
  indices(step: number): number[] {
    checkInteger('step', step, 0);
    const { batchSize, rank, world } = this.options;
    const permutation = this.#permutation(this.epochOf(step));
    const first = (step % this.stepsPerEpoch) * batchSize;
    const count = Math.min(batchSize, this.samplesPerEpoch - first);
    return Array.from({ length: count }, (_, slot) => {
      const position = rank + world * (first + slot);
      // Beyond the end only where ranks are padded.
      return permutation[position % this.length] as number;
    });
  }

  #permutation(epoch: number): Uint32Array {
    const known = this.#permutations.get(epoch);
    if (known !== undefined) return known;
    const { shuffle, seed } = this.options;
    const order = Uint32Array.from({ length: this.length }, (_, index) => index);
    if (shuffle) {
      const random = new RandomStream(seed, epoch);
      for (let last = order.length - 1; last > 0; last--) {
        const other = random.below(last + 1);
        const kept = order[last] as number;
        order[last] = order[other] as number;
        order[other] = kept;
      }
    }
    if (this.#permutations.size >= KEPT_EPOCHS) {
      const [oldest] = this.#permutations.keys();
      this.#permutations.delete(oldest as number);
    }
    this.#permutations.set(epoch, order);
    return order;
  }
}

const KEPT_EPOCHS = 2;
