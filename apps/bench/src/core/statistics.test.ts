import { Rng } from '@saccade/tensor-ops';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { logSlope, median, medianInterval, pairedRatio, spread } from './statistics.ts';

const times = fc.array(fc.double({ min: 1e-3, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 60 });
const upTo = (count: number) => Array.from({ length: count }, (_, i) => i + 1);

describe('medianInterval', () => {
  // The ranks that tables of the sign test give for 95 %.
  it.each([
    [6, 1, 6],
    [8, 1, 8],
    [9, 2, 8],
    [10, 2, 9],
    [20, 6, 15],
    [25, 8, 18],
    [60, 22, 39],
    [100, 40, 61],
  ])('of %i samples lies between those of rank %i and %i', (count, low, high) => {
    expect(medianInterval(upTo(count))).toEqual([low, high]);
  });

  it('is all there is of fewer than six', () => {
    for (let count = 1; count < 6; count++) expect(medianInterval(upTo(count))).toEqual([1, count]);
  });

  it('holds the median of the samples', () => {
    fc.assert(
      fc.property(times, (samples) => {
        const [low, high] = medianInterval(samples);
        expect(low).toBeLessThanOrEqual(median([...samples]));
        expect(high).toBeGreaterThanOrEqual(median([...samples]));
      }),
    );
  });

  it('does not depend on the order, and leaves the samples as they were', () => {
    fc.assert(
      fc.property(times, fc.integer(), (samples, seed) => {
        const before = [...samples];
        const shuffled = new Rng(seed).shuffle([...samples]);
        expect(medianInterval(shuffled)).toEqual(medianInterval(samples));
        expect(spread(shuffled)).toEqual(spread(samples));
        expect(samples).toEqual(before);
      }),
    );
  });

  it('holds the true median in at least 95 of 100 runs, also of a lopsided distribution', () => {
    const rng = new Rng(7);
    const runs = 4000;
    let held = 0;
    for (let run = 0; run < runs; run++) {
      // Times are like this: never below a floor, sometimes far above. The median of -log(u) is log 2.
      const [low, high] = medianInterval(Array.from({ length: 20 }, () => 1 - Math.log(1 - rng.uniform(0, 1))));
      if (low <= 1 + Math.LN2 && 1 + Math.LN2 <= high) held++;
    }
    // The ranks promise 95.9 %; four standard errors of 4,000 runs are 1.3 %. An interval one rank too narrow has 88.5 %.
    expect(held / runs).toBeGreaterThan(0.946);
    expect(held / runs).toBeLessThan(0.972);
  });
});

describe('spread', () => {
  it('has the median, the quartiles and the interval', () => {
    expect(spread([4, 1, 3, 2, 5])).toEqual({ median: 3, quartiles: [2, 4], interval: [1, 5] });
  });
});

describe('pairedRatio', () => {
  it('compares rounds, so that what slows both of them down does not show', () => {
    const baseline = [1, 1, 10, 1, 1, 7, 1, 1];
    const twice = baseline.map((ms) => 2 * ms);
    expect(pairedRatio(twice, baseline)).toEqual({ value: 2, interval: [2, 2] });
  });

  it('of a series with itself is one', () => {
    fc.assert(
      fc.property(times, (samples) => {
        expect(pairedRatio(samples, samples).value).toBe(1);
      }),
    );
  });
});

describe('logSlope', () => {
  it('finds the exponent of a power', () => {
    fc.assert(
      fc.property(fc.double({ min: -3, max: 3, noNaN: true }), (power) => {
        expect(logSlope([784, 1568, 3136, 12544].map((n) => [n, 5 * n ** power] as const))).toBeCloseTo(power, 8);
      }),
    );
  });
});
