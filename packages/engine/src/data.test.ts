import { ConfigError } from '@saccade/tensor-ops';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EpochOrder } from './data.ts';

describe('EpochOrder', () => {
  it('gives each sample at most once an epoch, in full batches', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 1, max: 60 }),
        fc.integer(),
        (length, size, seed) => {
          fc.pre(size <= length);
          const order = new EpochOrder(length, size, seed);
          const epoch = Array.from({ length: order.stepsPerEpoch }, (_, step) => order.indices(step));
          expect(epoch.every((batch) => batch.length === size)).toBe(true);
          expect(new Set(epoch.flat()).size).toBe(order.stepsPerEpoch * size);
          expect(epoch.flat().every((index) => index >= 0 && index < length)).toBe(true);
        },
      ),
    );
  });

  it('depends on seed and step alone, and differs between epochs and seeds', () => {
    const order = new EpochOrder(40, 10, 7);
    const forwards = [0, 1, 2, 3, 4, 5].map((step) => order.indices(step));
    const backwards = [5, 4, 3, 2, 1, 0].map((step) => new EpochOrder(40, 10, 7).indices(step)).reverse();
    expect(backwards).toEqual(forwards);
    expect(order.indices(4)).not.toEqual(order.indices(0));
    expect(new EpochOrder(40, 10, 8).indices(0)).not.toEqual(order.indices(0));
    expect([0, 3, 4, 8].map((step) => order.epochOf(step))).toEqual([0, 0, 1, 2]);
  });

  it('needs one full batch', () => {
    expect(() => new EpochOrder(3, 4, 0)).toThrow(ConfigError);
  });
});
