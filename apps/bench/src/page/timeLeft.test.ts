import { describe, expect, it } from 'vitest';
import { fractionDone, timeLeft } from './timeLeft.ts';

describe('fractionDone', () => {
  it('counts comparisons, and the rounds of the one under way', () => {
    const progress = { done: 3, total: 8, backend: 'wasm' } as const;
    expect(fractionDone(progress)).toBe(3 / 8);
    expect(fractionDone({ ...progress, detail: { phase: 'check', contender: 'a' } })).toBe(3 / 8);
    expect(fractionDone({ ...progress, detail: { phase: 'measure', round: 10, rounds: 20 } })).toBe(3.5 / 8);
  });

  it('is 1 where there is nothing to do', () => {
    expect(fractionDone({ done: 0, total: 0, backend: 'wasm' })).toBe(1);
  });
});

describe('timeLeft', () => {
  it.each([
    [0.01, 60_000, undefined],
    [0.5, 1_000, undefined],
    [0.9, 20_000, 'a few seconds'],
    [0.5, 41_000, 'about 45 seconds'],
    [0.25, 60_000, 'about 3 minutes'],
    [0.02, 300_000, 'about 4 hours'],
  ])('%d done after %d ms: %s', (fraction, elapsed, expected) => {
    expect(timeLeft(fraction, elapsed)).toBe(expected);
  });
});
