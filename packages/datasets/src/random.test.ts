import { describe, expect, it } from 'vitest';
import { RandomStream } from './random.ts';

describe('RandomStream', () => {
  it('depends on its key alone', () => {
    const draw = (...key: number[]) => {
      const stream = new RandomStream(...key);
      return [stream.uniform(0, 1), stream.below(1000), stream.normal()];
    };
    expect(draw(1, 2, 3)).toEqual(draw(1, 2, 3));
    const others = [
      [1, 2, 4],
      [1, 3, 3],
      [2, 2, 3],
      [3, 2, 1],
      [1 + 2 ** 32, 2, 3],
      [1, 2],
    ];
    for (const other of others) expect(draw(...other)).not.toEqual(draw(1, 2, 3));
  });

  it('has uncorrelated first draws over neighbouring keys', () => {
    const count = 20_000;
    const draws = Array.from({ length: count }, (_, index) => new RandomStream(0, 0, index).uniform(-1, 1));
    const mean = draws.reduce((sum, value) => sum + value, 0) / count;
    const lag = draws.slice(1).reduce((sum, value, index) => sum + value * draws[index]!, 0) / count;
    // Standard errors: 1 / sqrt(3 n) and 1 / (3 sqrt(n)); four of them.
    expect(Math.abs(mean)).toBeLessThan(4 / Math.sqrt(3 * count));
    expect(Math.abs(lag)).toBeLessThan(4 / (3 * Math.sqrt(count)));
    expect(new Set(draws).size).toBe(count);
  });

  it('has normal draws of mean 0 and variance 1', () => {
    const stream = new RandomStream(5);
    const draws = Array.from({ length: 20_000 }, () => stream.normal());
    const mean = draws.reduce((sum, value) => sum + value, 0) / draws.length;
    const variance = draws.reduce((sum, value) => sum + value * value, 0) / draws.length;
    expect(mean).toBeCloseTo(0, 1);
    expect(variance).toBeCloseTo(1, 1);
  });
});
