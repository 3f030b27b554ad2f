import { describe, expect, it } from 'vitest';
import { inBatches, mapAhead } from './streams.ts';

/** 0 ... count-1, and what becomes of the stream. */
function counting(count: number, failAt = -1) {
  const state = { given: 0, ended: false };
  async function* numbers() {
    try {
      for (let i = 0; i < count; i++) {
        if (i === failAt) throw new Error('broken');
        state.given++;
        yield i;
      }
    } finally {
      state.ended = true;
    }
  }
  return { state, numbers: numbers() };
}

async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of source) items.push(item);
  return items;
}

const later = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe('mapAhead', () => {
  it('keeps the order, whatever takes longest, and works on so many items at a time', async () => {
    const { numbers } = counting(20);
    let [now, most] = [0, 0];
    const results = mapAhead(
      numbers,
      async (i) => {
        most = Math.max(most, ++now);
        await later((i * 7) % 5);
        now--;
        return i * i;
      },
      { ahead: 3 },
    );
    expect(await collect(results)).toEqual(Array.from({ length: 20 }, (_, i) => i * i));
    expect(most).toBe(3);
  });

  it('throws what fails after all results before it', async () => {
    for (const make of [
      () => mapAhead(counting(10, 5).numbers, async (i) => i),
      () =>
        mapAhead(counting(10).numbers, async (i) => {
          if (i === 5) throw new Error('broken');
          return i;
        }),
    ]) {
      const seen: number[] = [];
      await expect(async () => {
        for await (const i of make()) seen.push(i);
      }).rejects.toThrow('broken');
      expect(seen).toEqual([0, 1, 2, 3, 4]);
    }
  });

  it('reads no further than it must, and ends the source when the caller leaves', async () => {
    const { numbers, state } = counting(100);
    for await (const i of mapAhead(numbers, async (x) => x, { ahead: 4 })) if (i === 2) break;
    expect(state.given).toBeLessThanOrEqual(7);
    expect(state.ended).toBe(true);
  });
});

describe('inBatches', () => {
  it('cuts a stream, and drops or keeps what is over', async () => {
    expect(await collect(inBatches(counting(7).numbers, 3))).toEqual([
      [0, 1, 2],
      [3, 4, 5],
    ]);
    expect(await collect(inBatches(counting(7).numbers, 3, { last: 'keep' }))).toEqual([[0, 1, 2], [3, 4, 5], [6]]);
    expect(await collect(inBatches(counting(0).numbers, 3, { last: 'keep' }))).toEqual([]);
  });

  it('refuses batches of nothing', async () => {
    await expect(collect(inBatches(counting(1).numbers, 0))).rejects.toMatchObject({ code: 'option' });
  });
});
