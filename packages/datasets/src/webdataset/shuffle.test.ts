import { describe, expect, it } from 'vitest';
import { RandomStream } from '../random.ts';
import { shuffleBuffer } from './shuffle.ts';

async function* numbers(count: number) {
  for (let i = 0; i < count; i++) yield i;
}

async function shuffled(count: number, size: number, seed = 1): Promise<number[]> {
  const order: number[] = [];
  for await (const i of shuffleBuffer(numbers(count), size, new RandomStream(seed))) order.push(i);
  return order;
}

describe('shuffleBuffer', () => {
  it('gives every item once, whatever the sizes', async () => {
    for (const count of [0, 1, 5, 6, 7, 40]) {
      for (const size of [1, 2, 6, 100]) {
        const order = await shuffled(count, size);
        expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, i) => i));
      }
    }
    expect(await shuffled(9, 1)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it('draws each of the latest items equally often, at the beginning, later, and at the end', async () => {
    const [runs, size] = [1200, 6];
    const orders = await Promise.all(Array.from({ length: runs }, (_, seed) => shuffled(size + 1, size, seed)));
    const chance = 1 / size;
    // Four standard deviations of a binomial of 1,200 draws.
    const allowed = 4 * Math.sqrt(runs * chance * (1 - chance));
    for (let i = 0; i < size; i++) {
      const first = orders.filter((order) => order[0] === i).length;
      expect(Math.abs(first - runs * chance)).toBeLessThan(allowed);
    }
    // The item after the first draw is among the six of the second.
    const second = orders.filter((order) => order[1] === size).length;
    expect(Math.abs(second - runs * chance)).toBeLessThan(allowed);
    const last = orders.filter((order) => order[size] === size).length;
    expect(Math.abs(last - runs * chance)).toBeLessThan(allowed);
  });

  it('depends on the random stream alone', async () => {
    expect(await shuffled(30, 8, 3)).toEqual(await shuffled(30, 8, 3));
    expect(await shuffled(30, 8, 3)).not.toEqual(await shuffled(30, 8, 4));
  });
});
