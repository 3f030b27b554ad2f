import { describe, expect, it } from 'vitest';
import { compareSamples, once, sampleOutputs, samples, worstOf } from './samples.ts';

describe('samples of a result', () => {
  const expected = samples('two values', [
    [1, 4],
    [3, -2],
  ]);

  it('are compared where they lie, relative to the largest of them', () => {
    expect(compareSamples([9, 4, 9, -2], expected, 0.1)).toEqual({
      against: 'float64 in two values',
      error: 0,
      tolerance: 0.1,
    });
    expect(compareSamples([9, 4, 9, -1], expected, 0.1).error).toBe(0.25);
  });

  it.each([[[9, Number.NaN, 9, -2]], [[9, 4, 9, Number.POSITIVE_INFINITY]], [[9, 4]]])(
    'of %j are wrong: not finite, or not there',
    (actual) => expect(compareSamples(actual, expected, 0.1).error).toBe(Number.MAX_VALUE),
  );

  it('include both ends, and say where they are', () => {
    const { positions, values } = sampleOutputs([2, 3, 4], ([a, b, c]) => 100 * a! + 10 * b! + c!, 8);
    expect(positions).toContain(0);
    expect(positions).toContain(23);
    const all = Array.from({ length: 24 }, (_, i) => 100 * Math.floor(i / 12) + 10 * (Math.floor(i / 4) % 3) + (i % 4));
    expect(values).toEqual(positions.map((position) => all[position]));
  });

  it('are computed once', () => {
    let calls = 0;
    const get = once(() => {
      calls++;
      return expected;
    });
    expect([get(), get(), calls]).toEqual([expected, expected, 1]);
  });
});

describe('worstOf', () => {
  it('is the check that exceeds its own tolerance most, and names all', () => {
    const checks = [
      { against: 'a', error: 1e-3, tolerance: 1e-2 },
      { against: 'b', error: 1e-4, tolerance: 1e-5 },
      { against: 'a', error: 0, tolerance: 1 },
    ];
    expect(worstOf(checks)).toEqual({ against: 'a; b', error: 1e-4, tolerance: 1e-5 });
  });
});
