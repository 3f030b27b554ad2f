import { ConfigError } from '@saccade/tensor-ops';
import { describe, expect, it } from 'vitest';
import { stepDecay } from './stepDecay.ts';

describe('stepDecay', () => {
  it("is AIA's: 0.01, a tenth from epoch 20 on, a hundredth from epoch 40 on", () => {
    const perEpoch = 7;
    const rate = stepDecay({ base: 0.01, milestones: [20 * perEpoch, 40 * perEpoch] });
    const rates = [0, 139, 140, 279, 280, 10_000].map(rate);
    for (const [i, expected] of [0.01, 0.01, 0.001, 0.001, 0.0001, 0.0001].entries()) {
      expect(rates[i]).toBeCloseTo(expected, 12);
    }
  });

  it('warms up on a line', () => {
    const rate = stepDecay({ base: 1, milestones: [10], factor: 0.5, warmupSteps: 4, warmupStart: 0.2 });
    const rates = [0, 1, 2, 3, 4, 9, 10].map(rate);
    for (const [i, expected] of [0.2, 0.4, 0.6, 0.8, 1, 1, 0.5].entries()) expect(rates[i]).toBeCloseTo(expected, 12);
  });

  it('names what is wrong', () => {
    expect(() => stepDecay({ base: -1, milestones: [] })).toThrow(ConfigError);
    expect(() => stepDecay({ base: 1, milestones: [5, 5] })).toThrow(/^milestones\[1\]: expected a step >= 6, got 5/);
    expect(() => stepDecay({ base: 1, milestones: [3], warmupSteps: 4 })).toThrow(/^milestones\[0\]: .*>= 4, got 3/);
    expect(() => stepDecay({ base: 1, milestones: [0] })).toThrow(/^milestones\[0\]: /);
    expect(() => stepDecay({ base: 1, milestones: [], factor: Number.NaN })).toThrow(/^factor: /);
    expect(() => stepDecay({ base: 1, milestones: [], warmupSteps: -1 })).toThrow(/^warmupSteps: /);
  });
});
