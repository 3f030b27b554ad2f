import { checkChoice, checkInteger } from './checks.ts';

/** Options of {@link mapAhead}. */
export interface MapAheadOptions {
  /** items that are worked on, or wait to be taken, at a time; default 4 */
  readonly ahead?: number | undefined;
}

/**
 * The results of some work on the items of a stream, in their order, with work on the next ones under way: for decoding.
 *
 * @throws what the source or the work throws, in its place: after all results before it
 */
export async function* mapAhead<T, R>(
  source: AsyncIterable<T>,
  work: (item: T) => Promise<R>,
  { ahead = 4 }: MapAheadOptions = {},
): AsyncGenerator<R, void, undefined> {
  checkInteger('ahead', ahead, 1, 1024);
  const iterator = source[Symbol.asyncIterator]();
  const pending: Promise<{ readonly result: R } | undefined>[] = [];
  // Items are asked for one after the other: a generator does no more anyhow.
  let asked: Promise<unknown> = Promise.resolve();
  const begin = () => {
    const next = asked.then(() => iterator.next());
    asked = next;
    const one = next.then(async ({ done, value }) => (done ? undefined : { result: await work(value) }));
    // Whoever takes it hears of a failure.
    one.catch(() => undefined);
    pending.push(one);
  };
  try {
    for (;;) {
      while (pending.length < ahead) begin();
      const first = await (pending.shift() as (typeof pending)[number]);
      if (first === undefined) return;
      yield first.result;
    }
  } finally {
    await Promise.allSettled(pending);
    await iterator.return?.();
  }
}

/** Options of {@link inBatches}. */
export interface InBatchesOptions {
  /** what becomes of a last batch with fewer items: it is left out (`drop`, default) or given as it is (`keep`) */
  readonly last?: 'drop' | 'keep' | undefined;
}

/** The items of a stream, so many at a time. */
export async function* inBatches<T>(
  source: AsyncIterable<T>,
  batchSize: number,
  { last = 'drop' }: InBatchesOptions = {},
): AsyncGenerator<T[], void, undefined> {
  checkInteger('batchSize', batchSize, 1);
  checkChoice('last', last, ['drop', 'keep']);
  let batch: T[] = [];
  for await (const item of source) {
    batch.push(item);
    if (batch.length === batchSize) {
      yield batch;
      batch = [];
    }
  }
  if (last === 'keep' && batch.length > 0) yield batch;
}
