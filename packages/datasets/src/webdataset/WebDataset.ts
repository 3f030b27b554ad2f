import { DatasetError } from '../errors.ts';
import { checkChoice, checkInteger } from '../loader/checks.ts';
import { RandomStream } from '../random.ts';
import { readTar } from './readTar.ts';
import { groupSamples, type WebSample } from './samples.ts';
import type { Shard } from './shards.ts';
import { shuffleBuffer } from './shuffle.ts';

/** Options of {@link WebDataset}. */
export interface WebDatasetOptions {
  readonly shards: readonly Shard[];
  /** samples among which the next one is drawn, and so kept in memory; default 0: samples come as they lie */
  readonly shuffle?: number | undefined;
  /** whether shards come in another order in each epoch; default: whether samples do */
  readonly shuffleShards?: boolean | undefined;
  /** of both; default 0 */
  readonly seed?: number | undefined;
  /** which of `world` processes this one is, from 0: shard i of the epoch's order is read by rank i mod world; default 0 */
  readonly rank?: number | undefined;
  /** processes that share the shards; default 1 */
  readonly world?: number | undefined;
  /** read files of these suffixes only, such as `['jpg', 'cls']`; default: all */
  readonly suffixes?: readonly string[] | undefined;
  /**
   * what happens when a shard cannot be read to its end: the error is thrown (`throw`, default), or the next shard follows
   * (`skip`). Either way, its samples before the fault were given out.
   */
  readonly onError?: 'throw' | 'skip' | undefined;
  /** larger files are refused; default 256 MiB */
  readonly maxMemberBytes?: number | undefined;
  /** larger samples are refused; default 512 MiB */
  readonly maxSampleBytes?: number | undefined;
}

/** A shard that could not be read to its end. */
export interface ShardFault {
  readonly shard: string;
  readonly epoch: number;
  readonly error: DatasetError;
}

/**
 * Samples in shards (tar files) in the layout of the Python library webdataset: read in order, from a disk, a Blob or a server,
 * without unpacking anything.
 *
 * The samples of an epoch are a function of (shards, options, epoch) alone. Ranks share whole shards: give each as many, of one
 * length, where they must stay in step.
 *
 * @throws DatasetError `option` for values that cannot work, such as more ranks than shards
 */
export class WebDataset {
  readonly #options: WebDatasetOptions;
  readonly #faults: ShardFault[] = [];

  constructor(options: WebDatasetOptions) {
    const { shards, shuffle = 0, seed = 0, rank = 0, world = 1, onError = 'throw' } = options;
    checkInteger('shuffle', shuffle, 0, 2 ** 24);
    checkInteger('seed', seed, Number.MIN_SAFE_INTEGER);
    checkInteger('world', world, 1);
    checkInteger('rank', rank, 0, world - 1);
    checkChoice('onError', onError, ['throw', 'skip']);
    if (shards.length < world) {
      throw new DatasetError({
        code: 'option',
        argument: 'shards',
        expected: `at least one for each of ${world} ranks`,
        actual: String(shards.length),
      });
    }
    this.#options = options;
  }

  /** shards that `skip` got over, the first 1,000 */
  get faults(): readonly ShardFault[] {
    return this.#faults;
  }

  /** The shards that this rank reads in an epoch, in order. */
  shardsOf(epoch: number): Shard[] {
    const { shards, shuffle = 0, shuffleShards = shuffle > 0, seed = 0, rank = 0, world = 1 } = this.#options;
    const order = [...shards];
    if (shuffleShards) {
      const random = new RandomStream(seed, epoch, SHARDS);
      for (let last = order.length - 1; last > 0; last--) {
        const other = random.below(last + 1);
        [order[last], order[other]] = [order[other] as Shard, order[last] as Shard];
      }
    }
    return order.filter((_, position) => position % world === rank);
  }

  /**
   * The samples of an epoch, of this rank.
   *
   * @throws DatasetError `tar` for a damaged or cut shard, `missing` for one that cannot be read; the signal's reason
   */
  samples({
    epoch = 0,
    signal,
  }: {
    readonly epoch?: number;
    readonly signal?: AbortSignal | undefined;
  } = {}): AsyncGenerator<WebSample, void, undefined> {
    checkInteger('epoch', epoch, 0);
    const { shuffle = 0, seed = 0, rank = 0 } = this.#options;
    const inOrder = this.#inOrder(epoch, signal);
    return shuffle > 1 ? shuffleBuffer(inOrder, shuffle, new RandomStream(seed, epoch, SAMPLES, rank)) : inOrder;
  }

  async *#inOrder(epoch: number, signal: AbortSignal | undefined): AsyncGenerator<WebSample, void, undefined> {
    const { suffixes, maxMemberBytes, maxSampleBytes, onError = 'throw' } = this.#options;
    for (const shard of this.shardsOf(epoch)) {
      const members = readTar(shard.chunks({ signal }), { name: shard.name, maxMemberBytes });
      try {
        yield* groupSamples(members, { shard: shard.name, suffixes, maxSampleBytes });
      } catch (error) {
        signal?.throwIfAborted();
        if (onError === 'throw' || !(error instanceof DatasetError)) throw error;
        if (this.#faults.length < KEPT) this.#faults.push({ shard: shard.name, epoch, error });
      }
    }
  }
}

/** Parts of the keys of random streams, so that they differ. */
const [SHARDS, SAMPLES] = [1, 2];
const KEPT = 1000;
