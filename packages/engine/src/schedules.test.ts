import { ConfigError } from '@saccade/tensor-ops';
import { describe, expect, it } from 'vitest';
import { warmupCosine } from './schedules.ts';

describe('warmupCosine', () => {
  it('rises linearly, then falls by half a cosine from the end of the warm-up', () => {
    const rate = warmupCosine({ base: 1, min: 0.1, warmupSteps: 4, totalSteps: 12, warmupStart: 0.2 });
    expect(rate(0)).toBeCloseTo(0.2, 12);
    expect(rate(1)).toBeCloseTo(0.4, 12);
    expect(rate(4)).toBeCloseTo(1, 12);
    expect(rate(8)).toBeCloseTo(0.55, 12);
    expect(rate(6)).toBeCloseTo(0.1 + 0.45 * (1 + Math.SQRT1_2), 12);
    expect(rate(12)).toBe(0.1);
    expect(rate(100)).toBe(0.1);
  });

  it('counts the cosine from step 0 if not shifted', () => {
    const rate = warmupCosine({ base: 2, warmupSteps: 4, totalSteps: 8, shifted: false });
    expect(rate(4)).toBeCloseTo(1, 12);
    expect(rate(6)).toBeCloseTo(1 - Math.SQRT1_2, 12);
  });

  it('names what is wrong', () => {
    expect(() => warmupCosine({ base: -1, totalSteps: 4 })).toThrow(/base/);
    expect(() => warmupCosine({ base: 1, totalSteps: 4, warmupSteps: 4 })).toThrow(ConfigError);
  });
});
