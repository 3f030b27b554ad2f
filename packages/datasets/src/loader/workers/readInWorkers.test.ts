import { getActiveResourcesInfo } from 'node:process';
import { describe, expect, it } from 'vitest';
import { DatasetError } from '../../errors.ts';
import { DataLoader } from '../DataLoader.ts';
import type { ArrayBatch } from '../stack.ts';
import { createReader, type NumbersOptions } from '../testing/numbers.ts';
import { TYPESCRIPT } from '../testing/typescript.ts';
import { transferables } from './messages.ts';
import { readInWorkers, type WorkersOptions } from './readInWorkers.ts';

const module = new URL('../testing/numbers.ts', import.meta.url);

const open = (options: NumbersOptions, more: Partial<WorkersOptions> = {}) =>
  readInWorkers<ArrayBatch>({ module, options, execArgv: TYPESCRIPT, ...more });

const request = (...indices: number[]) => ({ indices, epoch: 0, seed: 1 });

async function collect(loader: DataLoader<ArrayBatch>): Promise<ArrayBatch[]> {
  const batches: ArrayBatch[] = [];
  for await (const { batch } of loader.batches({ epochs: 2 })) batches.push(batch);
  return batches;
}

describe('readInWorkers', () => {
  it('gives the batches that this thread gives, for any number of workers, and the same counts', async () => {
    const options: NumbersOptions = { length: 23, broken: [4, 5, 17], onError: 'substitute' };
    const order = { batchSize: 4, seed: 9, last: 'keep', prefetch: 3 } as const;
    const here = new DataLoader({ reader: createReader(options), ...order });
    const expected = await collect(here);
    for (const count of [1, 2]) {
      await using reader = await open(options, { count });
      expect(reader.length).toBe(23);
      const there = new DataLoader({ reader, ...order });
      expect(await collect(there)).toEqual(expected);
      const { batches, samples, substituted, failures } = here.statistics;
      expect(there.statistics).toMatchObject({ batches, samples, substituted, failures });
    }
  });

  it('moves arrays out of the worker and does not read more batches at a time than there are threads', async () => {
    await using reader = await open({ length: 8, slow: 30 }, { count: 1 });
    const began = performance.now();
    const times = await Promise.all([0, 1, 2].map((i) => reader.readBatch(request(i)).then(() => performance.now())));
    expect(times.map((time, i) => time - began > 25 * (i + 1))).toEqual([true, true, true]);
  });

  it('throws what the worker throws, with the path, and goes on', async () => {
    await using reader = await open({ length: 8, broken: [3], mistaken: [4] });
    const broken = reader.readBatch(request(2, 3));
    await expect(broken).rejects.toThrow(DatasetError);
    await expect(broken).rejects.toMatchObject({
      code: 'sample',
      argument: 'numbers/3.txt',
      message: 'numbers/3.txt: expected a number, got none.',
      cause: { stack: expect.stringMatching(/numbers\.ts/) },
    });
    await expect(reader.readBatch(request(4))).rejects.toMatchObject({ code: 'sample', argument: 'numbers/4.txt' });
    expect((await reader.readBatch(request(5))).batch.data[0]).toBe(5);
  });

  it('fails, and does not hang, when a worker is killed', async () => {
    await using reader = await open({ length: 8, deadly: [3], slow: 10 });
    const readings = [[3], [1], [2], [5]].map((indices) => reader.readBatch(request(...indices)));
    const settled = await Promise.allSettled(readings);
    expect(settled[0]).toMatchObject({
      status: 'rejected',
      reason: { name: 'DatasetError', code: 'worker', message: expect.stringMatching(/ended with code 7/) },
    });
    await expect(reader.readBatch(request(1))).rejects.toMatchObject({ code: 'worker' });
  });

  it('lets an aborted caller go at once, and the worker take the next batch', async () => {
    await using reader = await open({ length: 8, endless: [3] }, { count: 1 });
    const abort = new AbortController();
    const endless = reader.readBatch(request(3), { signal: abort.signal });
    const gone = reader.readBatch(request(4), { signal: abort.signal });
    const next = reader.readBatch(request(5));
    const reason = new Error('enough');
    abort.abort(reason);
    await expect(endless).rejects.toBe(reason);
    await expect(gone).rejects.toBe(reason);
    expect((await next).batch.data[0]).toBe(5);
  });

  it('ends its threads when closed, and what they were reading', async () => {
    const ports = () => getActiveResourcesInfo().filter((name) => name === 'MessagePort').length;
    const before = ports();
    const reader = await open({ length: 8, endless: [3] });
    const endless = reader.readBatch(request(3));
    expect(ports()).toBeGreaterThan(before);
    const waiting = expect(endless).rejects.toMatchObject({ name: 'AbortError' });
    await reader[Symbol.asyncDispose]();
    await waiting;
    await expect(reader.readBatch(request(1))).rejects.toMatchObject({ name: 'AbortError' });
    expect(ports()).toBe(before);
  });

  it.each([
    [{ count: 0 }, 'count'],
    [{ module: new URL('../stack.ts', import.meta.url) }, 'module'],
  ])('refuses %j', async (options, argument) => {
    await expect(open({ length: 8 }, options)).rejects.toMatchObject({ code: 'option', argument });
  });

  it('moves whole arrays and leaves parts of others alone', () => {
    const [whole, part] = [new Float32Array(4), new Uint8Array(8).subarray(2)];
    const message = { data: whole, list: [{ labels: part }], text: 'x', nothing: null, pooled: Buffer.from('small') };
    expect([...transferables(message)]).toEqual([whole.buffer]);
  });

  it('says why options cannot be used', async () => {
    const options = { length: 8, read: () => 1 };
    await expect(open(options)).rejects.toMatchObject({ name: 'DatasetError', code: 'option', argument: 'options' });
  });

  it('says why a module cannot be used', async () => {
    const missing = open({ length: 8 }, { module: new URL('../nowhere.ts', import.meta.url) });
    await expect(missing).rejects.toThrow(/nowhere/);
    await expect(open({ length: 8, onError: 'forget' as 'skip' })).rejects.toMatchObject({
      code: 'option',
      argument: 'onError',
    });
    const abort = new AbortController();
    const opening = open({ length: 8 }, { signal: abort.signal });
    abort.abort();
    await expect(opening).rejects.toMatchObject({ name: 'AbortError' });
  });
});
