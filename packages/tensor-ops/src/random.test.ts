import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Rng } from './random.ts';

const draws = <T>(count: number, draw: () => T) => Array.from({ length: count }, draw);
const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;

describe('Rng', () => {
  it('gives the same numbers for the same seed, for ever', () => {
    const rng = new Rng(42);
    expect(draws(3, () => rng.uniform())).toEqual([0.2725744465111921, 0.14005348723065558, 0.7822142315707581]);
    expect(draws(5, () => rng.int(0, 99))).toEqual([42, 27, 33, 19, 52]);
    expect(rng.normal()).toBeCloseTo(0.027099328814837245, 15);
    expect(rng.fork('weights').uniform()).toBe(0.0576281352784922);
    expect(rng.shuffle([1, 2, 3, 4, 5, 6])).toEqual([2, 6, 3, 4, 1, 5]);
  });

  it('gives neighbouring seeds unrelated numbers from the first draw on', () => {
    for (const draw of [0, 1]) {
      const values = draws(1000, () => 0).map((_, seed) => {
        const rng = new Rng(seed);
        for (let i = 0; i < draw; i++) rng.uniform();
        return rng.uniform();
      });
      // Uniform on [0, 1): mean 1/2 and variance 1/12, each within four standard errors.
      expect(Math.abs(mean(values) - 1 / 2)).toBeLessThan(4 * Math.sqrt(1 / 12 / 1000));
      expect(Math.abs(mean(values.map((x) => (x - 1 / 2) ** 2)) - 1 / 12)).toBeLessThan(4 * Math.sqrt(1 / 180 / 1000));
      // Neighbours are not correlated.
      const products = values.slice(1).map((x, i) => (x - 1 / 2) * ((values[i] as number) - 1 / 2));
      expect(Math.abs(mean(products))).toBeLessThan(4 * (1 / 12 / Math.sqrt(999)));
    }
  });

  it('takes any 32 bits as a seed', () => {
    expect(new Rng(-1).uniform()).toBe(new Rng(2 ** 32 - 1).uniform());
    expect(new Rng(0).uniform()).not.toBe(new Rng(1).uniform());
  });

  it('keeps uniform and int within their bounds', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: -1000, max: 1000 }), fc.nat(1000), (seed, low, span) => {
        const rng = new Rng(seed);
        const x = rng.uniform(low, low + span + 1);
        const i = rng.int(low, low + span);
        expect(x >= low && x < low + span + 1).toBe(true);
        expect(Number.isInteger(i) && i >= low && i <= low + span).toBe(true);
      }),
      { seed: 1 },
    );
  });

  it('reaches both ends of int, equally often', () => {
    const rng = new Rng(3);
    const counts = [0, 0, 0];
    for (const i of draws(3000, () => rng.int(-1, 1))) counts[i + 1] = (counts[i + 1] as number) + 1;
    // Four standard deviations of a binomial(3000, 1/3).
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(4 * Math.sqrt((3000 * 2) / 9));
  });

  it('draws normal numbers of the mean and deviation asked for', () => {
    const rng = new Rng(4);
    const count = 20_000;
    const z = draws(count, () => (rng.normal(5, 2) - 5) / 2);
    // Moments of N(0, 1): 0, 1, 0, 3, with variances 1, 2, 15, 96 over the count.
    const moments = [0, 1, 0, 3];
    [1, 2, 15, 96].forEach((variance, k) => {
      const moment = mean(z.map((x) => x ** (k + 1)));
      expect(Math.abs(moment - (moments[k] as number)), `moment ${k + 1}`).toBeLessThan(
        4 * Math.sqrt(variance / count),
      );
    });
  });

  it('cuts truncated normal numbers', () => {
    const rng = new Rng(5);
    const values = draws(2000, () => rng.truncatedNormal(1, 3, -2, 2));
    expect(Math.min(...values)).toBeGreaterThanOrEqual(-2);
    expect(Math.max(...values)).toBeLessThanOrEqual(2);
    expect(values.some((x) => x < -1.8) && values.some((x) => x > 1.8)).toBe(true);
  });

  it('shuffles in place into a permutation, each equally likely', () => {
    const items = draws(50, () => 0).map((_, i) => i);
    const shuffled = new Rng(6).shuffle(items);
    expect(shuffled).toBe(items);
    expect(shuffled).not.toEqual([...items].sort((a, b) => a - b));
    expect([...shuffled].sort((a, b) => a - b)).toEqual(draws(50, () => 0).map((_, i) => i));

    const rng = new Rng(7);
    const counts = new Map<string, number>();
    for (const order of draws(6000, () => rng.shuffle(['a', 'b', 'c']).join(''))) {
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(6);
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(4 * Math.sqrt((6000 * 5) / 36));
  });

  it('forks generators that depend on the seed and the label alone', () => {
    const rng = new Rng(8);
    const before = rng.fork('a').uniform();
    draws(10, () => rng.uniform());
    expect(rng.fork('a').uniform()).toBe(before);
    const others = [rng.fork('b'), rng.fork(''), rng.fork('a').fork('a'), new Rng(9).fork('a'), rng];
    for (const other of others) expect(other.uniform()).not.toBe(before);
  });

  it('is not disturbed by its forks', () => {
    const [rng, other] = [new Rng(10), new Rng(10)];
    draws(10, () => rng.fork(1).uniform());
    expect(rng.uniform()).toBe(other.uniform());
  });
});
