import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DatasetError } from '../errors.ts';
import { type OrderOptions, SampleOrder } from './order.ts';

/** All samples that the ranks read in an epoch. */
function epochOf(length: number, options: OrderOptions, world: number, epoch: number): number[][] {
  return Array.from({ length: world }, (_, rank) => {
    const order = new SampleOrder(length, { ...options, rank, world });
    const steps = Array.from({ length: order.stepsPerEpoch }, (_, step) => epoch * order.stepsPerEpoch + step);
    expect(steps.every((step) => order.epochOf(step) === epoch)).toBe(true);
    return steps.flatMap((step) => order.indices(step));
  });
}

const sorted = (values: readonly number[]) => [...values].sort((a, b) => a - b);
const all = (length: number) => Array.from({ length }, (_, i) => i);

describe('SampleOrder', () => {
  const anything = fc.record({
    length: fc.integer({ min: 1, max: 60 }),
    world: fc.integer({ min: 1, max: 6 }),
    batchSize: fc.integer({ min: 1, max: 9 }),
    seed: fc.maxSafeInteger(),
    epoch: fc.nat(3),
    shuffle: fc.boolean(),
  });

  it('gives each sample exactly once an epoch, over all ranks', () => {
    fc.assert(
      fc.property(anything, ({ length, world, epoch, ...options }) => {
        fc.pre(length >= world);
        const shares = epochOf(length, { ...options, last: 'keep' }, world, epoch);
        expect(sorted(shares.flat())).toEqual(all(length));
        const sizes = shares.map((share) => share.length);
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('gives all ranks as many by padding or dropping', () => {
    fc.assert(
      fc.property(anything, ({ length, world, epoch, ...options }) => {
        const padded = epochOf(length, { ...options, last: 'keep', uneven: 'pad' }, world, epoch);
        expect(new Set(padded.map((share) => share.length))).toEqual(new Set([Math.ceil(length / world)]));
        expect(new Set(padded.flat())).toEqual(new Set(all(length)));
        // Only the first of the epoch come again, each as often as any other or once more.
        fc.pre(length >= world);
        const dropped = epochOf(length, { ...options, last: 'keep', uneven: 'drop' }, world, epoch).flat();
        expect(new Set(dropped).size).toBe(dropped.length);
        expect(dropped.length).toBe(world * Math.floor(length / world));
      }),
    );
  });

  it('cuts full batches, and drops or keeps what is over', () => {
    const sizes = (last: 'drop' | 'keep') => {
      const order = new SampleOrder(11, { batchSize: 4, last });
      return Array.from({ length: order.stepsPerEpoch }, (_, step) => order.indices(step).length);
    };
    expect(sizes('drop')).toEqual([4, 4]);
    expect(sizes('keep')).toEqual([4, 4, 3]);
  });

  it('depends on seed and step alone, and differs between epochs and seeds', () => {
    const order = new SampleOrder(40, { batchSize: 10, seed: 7 });
    const forwards = all(9).map((step) => order.indices(step));
    const backwards = all(9)
      .reverse()
      .map((step) => new SampleOrder(40, { batchSize: 10, seed: 7 }).indices(step));
    expect(backwards.reverse()).toEqual(forwards);
    expect(order.indices(4)).not.toEqual(order.indices(0));
    expect(new SampleOrder(40, { batchSize: 10, seed: 8 }).indices(0)).not.toEqual(order.indices(0));
    expect(new SampleOrder(40, { batchSize: 10, shuffle: false }).indices(5)).toEqual(all(20).slice(10));
  });

  it('deals out in turn: without shuffling, rank r of w has r, r + w, r + 2w, ...', () => {
    const order = new SampleOrder(7, { batchSize: 2, shuffle: false, rank: 1, world: 3, uneven: 'pad', last: 'keep' });
    expect([order.indices(0), order.indices(1)]).toEqual([[1, 4], [0]]);
  });

  it.each([
    [{ batchSize: 0 }, 'batchSize'],
    [{ batchSize: 11 }, 'batchSize'],
    [{ batchSize: 2, rank: 2, world: 2 }, 'rank'],
    [{ batchSize: 2, world: 0 }, 'world'],
    [{ batchSize: 2, seed: 0.5 }, 'seed'],
    [{ batchSize: 2, uneven: 'some' as 'pad' }, 'uneven'],
    [{ batchSize: 2, last: 'some' as 'keep' }, 'last'],
  ])('refuses %j', (options, argument) => {
    const make = () => new SampleOrder(10, options);
    expect(make).toThrow(DatasetError);
    expect(make).toThrow(expect.objectContaining({ code: 'option', argument }));
  });
});
