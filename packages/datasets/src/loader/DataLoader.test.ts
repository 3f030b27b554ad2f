import { afterEach, describe, expect, it } from 'vitest';
import { DatasetError } from '../errors.ts';
import { type BatchesOptions, DataLoader, type LoaderOptions } from './DataLoader.ts';
import type { BatchReader } from './reading.ts';
import type { ArrayBatch } from './stack.ts';
import { createReader, type NumbersOptions } from './testing/numbers.ts';

type Options = Partial<LoaderOptions<ArrayBatch>> & NumbersOptions;

const load = ({ length, broken, mistaken, onError, ...options }: Options) =>
  new DataLoader({
    reader: createReader({
      length,
      ...(broken && { broken }),
      ...(mistaken && { mistaken }),
      ...(onError && { onError }),
    }),
    batchSize: 4,
    seed: 3,
    ...options,
  });

async function collect(loader: DataLoader<ArrayBatch>, options?: BatchesOptions): Promise<ArrayBatch[]> {
  const batches: ArrayBatch[] = [];
  for await (const { batch } of loader.batches(options)) batches.push(batch);
  return batches;
}

/** A reader that counts, and whose batches come when the test says so. */
function byHand(length: number) {
  const open: { indices: readonly number[]; signal: AbortSignal | undefined; answer(): void }[] = [];
  const reader: BatchReader<readonly number[]> = {
    length,
    readBatch: ({ indices }, { signal } = {}) =>
      new Promise((resolve, reject) => {
        signal?.addEventListener('abort', () => reject(signal.reason));
        open.push({
          indices,
          signal,
          answer: () => resolve({ batch: indices, samples: indices.length, failures: [] }),
        });
      }),
  };
  return { reader, open };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('DataLoader', () => {
  let unhandled: unknown[] = [];
  const note = (reason: unknown) => unhandled.push(reason);
  process.on('unhandledRejection', note);
  afterEach(() => {
    expect(unhandled).toEqual([]);
    unhandled = [];
  });

  it('gives arrays of the samples of the order, with random streams of their own', async () => {
    const loader = load({ length: 10 });
    const [first, second] = await collect(loader);
    expect(first?.shape).toEqual([4, 1, 2, 1]);
    const numbersOf = (batch: ArrayBatch) => Array.from(batch.labels, (_, slot) => batch.data[2 * slot] as number);
    expect(numbersOf(first as ArrayBatch)).toEqual(loader.order.indices(0));
    expect(Array.from(first?.labels ?? [])).toEqual(loader.order.indices(0).map((i) => i % 3));
    const drawn = [first, second].flatMap((batch) => [1, 3, 5, 7].map((i) => batch?.data[i] as number));
    expect(new Set(drawn).size).toBe(8);
    expect(drawn.every((x) => x >= 0 && x < 1)).toBe(true);
    const again = await load({ length: 10 }).at(0);
    expect(again).toEqual(first);
    // The same sample in another epoch draws anew.
    const later = await load({ length: 4 }).at(1);
    const earlier = await load({ length: 4 }).at(0);
    expect([...later.data].sort()).not.toEqual([...earlier.data].sort());
  });

  it('goes on from a cursor as if it had never stopped', async () => {
    const straight = await collect(load({ length: 10, last: 'keep' }), { epochs: 3 });
    expect(straight).toHaveLength(9);
    const first: ArrayBatch[] = [];
    let stored = '';
    for await (const { batch, cursor, step } of load({ length: 10, last: 'keep' }).batches({ epochs: 3 })) {
      first.push(batch);
      stored = JSON.stringify(cursor);
      if (step === 4) break;
    }
    const rest = await collect(load({ length: 10, last: 'keep' }), { epochs: 3, from: JSON.parse(stored) });
    expect([...first, ...rest]).toEqual(straight);
  });

  it.each([
    [{}, 'cursor.order.seed', { seed: 4 }],
    [{}, 'cursor.order.batchSize', { batchSize: 5 }],
    [{}, 'cursor.length', { length: 11 }],
    [{ step: -1 }, 'cursor.step', {}],
    [{ step: '1' }, 'cursor.step', {}],
    [{ format: 'other' }, 'cursor.format', {}],
    [{ order: null }, 'cursor.order.batchSize', {}],
  ])('refuses a cursor %j at %s', async (change, argument, options) => {
    const cursor = { ...load({ length: 10 }).cursorAt(1), ...change };
    const other = load({ length: 10, ...options });
    await expect(collect(other, { from: cursor as never })).rejects.toMatchObject({ code: 'cursor', argument });
  });

  it('refuses what is no cursor at all', async () => {
    for (const from of [null, 'x', 3, []]) {
      await expect(collect(load({ length: 10 }), { from: from as never })).rejects.toMatchObject({ code: 'cursor' });
    }
  });

  it('reads so many batches ahead and no more, and none beyond the end', async () => {
    const { reader, open } = byHand(100);
    const loader = new DataLoader({ reader, batchSize: 10, prefetch: 3, shuffle: false });
    const first = loader.at(0, { end: 5 });
    await turn();
    expect(open.map(({ indices }) => indices[0])).toEqual([0, 10, 20, 30]);
    for (const { answer } of open) answer();
    expect((await first)[0]).toBe(0);
    await turn();
    expect(open).toHaveLength(4);
    await loader.at(1, { end: 5 });
    await loader.at(2, { end: 5 });
    expect(open.map(({ indices }) => indices[0])).toEqual([0, 10, 20, 30, 40]);
    expect(loader.statistics).toMatchObject({ batches: 3, ready: 2, samples: 30 });
    await loader[Symbol.asyncDispose]();
    expect(open[4]?.signal?.aborted).toBe(true);
  });

  it('drops what was read ahead for other steps, but nothing that somebody waits for', async () => {
    const { reader, open } = byHand(100);
    const loader = new DataLoader({ reader, batchSize: 10, prefetch: 1, shuffle: false });
    const [early, late] = [loader.at(0), loader.at(7)];
    await turn();
    expect(open.map(({ indices, signal }) => [indices[0], signal?.aborted])).toEqual([
      [0, false],
      [10, true],
      [70, false],
      [80, false],
    ]);
    for (const { answer } of open) answer();
    expect([(await early)[0], (await late)[0]]).toEqual([0, 70]);
  });

  it('stops waiting and reading when aborted, with the reason of the signal', async () => {
    const { reader, open } = byHand(100);
    const loader = new DataLoader({ reader, batchSize: 10 });
    const abort = new AbortController();
    const waiting = loader.at(0, { signal: abort.signal });
    await turn();
    const reason = new Error('enough');
    abort.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    expect(open.map(({ signal }) => signal?.aborted)).toEqual([true, true, true]);
    await expect(loader.at(0, { signal: abort.signal })).rejects.toBe(reason);
  });

  it('is of no use once it is closed', async () => {
    const { reader, open } = byHand(100);
    const loader = new DataLoader({ reader, batchSize: 10 });
    const waiting = loader.at(0);
    await turn();
    const closing = loader[Symbol.asyncDispose]();
    await expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
    await closing;
    await expect(loader.at(1)).rejects.toMatchObject({ name: 'AbortError' });
    expect(open).toHaveLength(3);
  });

  it('throws what a sample throws, with its path, and can go on', async () => {
    const loader = load({ length: 12, mistaken: [5], shuffle: false });
    await loader.at(0);
    const failing = loader.at(1);
    await expect(failing).rejects.toThrow(DatasetError);
    await expect(failing).rejects.toMatchObject({ code: 'sample', argument: 'numbers/5.txt' });
    await expect(failing).rejects.toThrow(/TypeError: no such number/);
    expect((await loader.at(2)).data[0]).toBe(8);
  });

  it('counts samples that the policy leaves out or replaces, up to a limit', async () => {
    const skipping = load({ length: 12, broken: [1, 2, 9], onError: 'skip', shuffle: false });
    expect((await collect(skipping)).map(({ shape }) => shape[0])).toEqual([2, 4, 3]);
    expect(skipping.statistics).toMatchObject({ samples: 9, skipped: 3, substituted: 0 });
    expect(skipping.statistics.failures[0]).toEqual({
      index: 1,
      path: 'numbers/1.txt',
      message: 'numbers/1.txt: expected a number, got none.',
      outcome: 'skipped',
    });
    const substituting = load({ length: 12, broken: [1, 2, 9], onError: 'substitute' });
    expect((await collect(substituting)).map(({ shape }) => shape[0])).toEqual([4, 4, 4]);
    expect(substituting.statistics).toMatchObject({ samples: 12, skipped: 0, substituted: 3 });
    const strict = load({ length: 12, broken: [1, 2, 9], onError: 'skip', maxFailures: 2 });
    await expect(collect(strict)).rejects.toMatchObject({ code: 'sample', argument: 'maxFailures' });
    const hopeless = load({ length: 12, broken: [0, 1, 2, 3], onError: 'skip', shuffle: false });
    await expect(hopeless.at(0)).rejects.toThrow(
      /at least one that can be read, got none; the first is numbers\/0\.txt/,
    );
  });

  it('measures how long callers wait', async () => {
    const { reader, open } = byHand(8);
    const loader = new DataLoader({ reader, batchSize: 4 });
    const first = loader.at(0, { end: 2 });
    await new Promise((resolve) => setTimeout(resolve, 30));
    for (const { answer } of open) answer();
    await first;
    const { waitMs } = loader.statistics;
    expect(waitMs).toBeGreaterThan(25);
    await turn();
    await loader.at(1, { end: 2 });
    expect(loader.statistics).toMatchObject({ batches: 2, ready: 1, longestWaitMs: waitMs });
    expect(loader.statistics.waitMs - waitMs).toBeLessThan(25);
  });
});
