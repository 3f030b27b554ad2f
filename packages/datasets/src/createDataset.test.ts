import { describe, expect, it } from 'vitest';
import { createDataset, type FailurePolicy, type SampleIndex } from './createDataset.ts';
import type { Sample, SampleInfo } from './dataset.ts';
import { DatasetError } from './errors.ts';
import { readingSample } from './failures.ts';
import { problemOf } from './testing/thrown.ts';

/** Ten samples; those of `bad` cannot be read. */
function tenSamples(bad: readonly number[], policy: FailurePolicy) {
  const index: SampleIndex = {
    name: 'ten',
    classes: ['even', 'odd'],
    entries: Array.from({ length: 10 }, (_, i) => ({ id: `s${i}`, path: `${i}.jpg`, label: i % 2 })),
    absent: [],
  };
  return createDataset<SampleInfo, Sample & { pixels: number }>(
    index,
    (info, number) =>
      readingSample(info.path, 'an image', undefined, async () => {
        if (bad.includes(number)) throw new Error('broken');
        return { ...info, index: number, pixels: number * 10 };
      }),
    policy,
  );
}

describe('createDataset', () => {
  it('reads samples by number, and describes them unread', async () => {
    const data = tenSamples([], {});
    expect(data.length).toBe(10);
    expect(data.describe(3)).toEqual({ id: 's3', path: '3.jpg', label: 1 });
    expect(await data.get(3)).toEqual({ id: 's3', path: '3.jpg', label: 1, index: 3, pixels: 30 });
    for (const index of [-1, 10, 1.5, Number.NaN]) {
      expect((await problemOf(() => data.get(index))).code).toBe('index');
    }
  });

  it('throws by default, naming the file', async () => {
    const data = tenSamples([4], {});
    const problem = await problemOf(() => data.get(4));
    expect(problem).toMatchObject({ code: 'sample', argument: '4.jpg', actual: 'broken' });
    expect(await problemOf(() => data.tryGet(4))).toMatchObject({ code: 'sample' });
    expect(data.report).toMatchObject({ count: 2, skipped: 0, substituted: 0 });
    expect(data.report.failures[0]).toMatchObject({ index: 4, info: { path: '4.jpg' }, error: problem });
  });

  it('skips, and every sample is either given or counted', async () => {
    const data = tenSamples([0, 4, 9], { onError: 'skip' });
    const seen: number[] = [];
    for await (const sample of data) seen.push(sample.index);
    expect(seen).toEqual([1, 2, 3, 5, 6, 7, 8]);
    expect(data.report).toMatchObject({ count: 3, skipped: 3, substituted: 0 });
    expect(data.report.failures.map(({ index }) => index)).toEqual([0, 4, 9]);
    expect(await data.tryGet(4)).toBeUndefined();
    await problemOf(() => data.get(4));
  });

  it('substitutes the next one that can be read, and says so', async () => {
    const data = tenSamples([8, 9], { onError: 'substitute' });
    expect(await data.get(8)).toMatchObject({ index: 0, standsInFor: 8, id: 's0', pixels: 0 });
    // 8 and 9 failed, one sample was replaced.
    expect(data.report).toMatchObject({ count: 2, skipped: 0, substituted: 1 });
    const all: (number | undefined)[] = [];
    for await (const { standsInFor } of data.samples()) all.push(standsInFor);
    expect(all).toEqual([...new Array(8).fill(undefined), 8, 9]);
  });

  it('substitutes any other sample where there is randomness', async () => {
    const data = tenSamples([5], { onError: 'substitute' });
    const stands = new Set<number>();
    for (let u = 0; u <= 1; u += 0.05) {
      const random = { uniform: (low: number, high: number) => low + u * (high - low) };
      stands.add((await data.get(5, { random })).index);
    }
    expect([...stands].sort()).toEqual([0, 1, 2, 3, 4, 6, 7, 8, 9]);
  });

  it('gives up after some attempts', async () => {
    const data = tenSamples([2, 3, 4, 5], { onError: 'substitute', attempts: 2 });
    expect(await problemOf(() => data.get(2))).toMatchObject({ argument: '2.jpg' });
    expect(data.report).toMatchObject({ count: 3, substituted: 0 });
  });

  it('hides no mistake of its caller', async () => {
    const index: SampleIndex = { name: 'one', classes: ['a'], entries: [{ id: 'a', path: 'a', label: 0 }], absent: [] };
    const data = createDataset(index, () => Promise.reject(new TypeError('a bug')), { onError: 'skip' });
    await expect(data.tryGet(0)).rejects.toThrow('a bug');
    expect(data.report.count).toBe(0);
    const outside = new DatasetError({ code: 'path', argument: 'a', expected: 'inside', actual: 'outside' });
    const link = createDataset(index, () => Promise.reject(outside), { onError: 'skip' });
    expect(await problemOf(() => link.tryGet(0))).toBe(outside);
  });

  it('stops where it is told to', async () => {
    const data = tenSamples([], { onError: 'skip' });
    await expect(data.get(0, { signal: AbortSignal.abort('enough') })).rejects.toBe('enough');
  });

  it('refuses labels that are no class, and policies that are none', async () => {
    const index = (label: number): SampleIndex => ({
      name: 'n',
      classes: ['a', 'b'],
      entries: [{ id: 'x', path: 'x', label }],
      absent: [],
    });
    const read = () => Promise.reject(new Error('unread'));
    for (const label of [2, -2, 0.5, Number.NaN]) {
      expect(await problemOf(() => createDataset(index(label), read))).toMatchObject({ code: 'labels', argument: 'x' });
    }
    expect(createDataset(index(-1), read).describe(0).label).toBe(-1);
    const policy = { onError: 'ignore' } as unknown as FailurePolicy;
    expect((await problemOf(() => createDataset(index(0), read, policy))).code).toBe('option');
  });
});
