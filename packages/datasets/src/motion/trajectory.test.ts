import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RandomStream } from '../random.ts';
import { HEADINGS, PROFILES } from './tasks.ts';
import { path, steps } from './trajectory.ts';

const settings = fc.record({
  frames: fc.integer({ min: 3, max: 20 }),
  heading: fc.constantFrom(...HEADINGS),
  speed: fc.double({ min: 0.1, max: 4, noNaN: true }),
  change: fc.double({ min: 0, max: 1, noNaN: true }),
});

describe('steps', () => {
  it('are, for 5 frames at speed 2 and change 0.5, the ones worked out by hand', () => {
    const at = (profile: (typeof PROFILES)[number]) =>
      steps({ frames: 5, heading: 'left', profile, speed: 2, change: 0.5 }, new RandomStream(1));
    expect(at('constant')).toEqual([2, 2, 2, 2]);
    const rising = [1, 5 / 3, 7 / 3, 3];
    at('accelerate').forEach((step, k) => {
      expect(step).toBeCloseTo(rising[k]!, 12);
    });
    at('decelerate').forEach((step, k) => {
      expect(step).toBeCloseTo(rising[3 - k]!, 12);
    });
    expect(at('there-and-back')).toEqual([2, 2, -2, -2]);
  });

  it('go equally far in every class', () => {
    fc.assert(
      fc.property(settings, fc.constantFrom(...PROFILES), fc.nat(), (setting, profile, seed) => {
        const way = steps({ ...setting, profile }, new RandomStream(seed));
        expect(way).toHaveLength(setting.frames - 1);
        const length = way.reduce((sum, step) => sum + Math.abs(step), 0);
        expect(length).toBeCloseTo((setting.frames - 1) * setting.speed, 9);
      }),
    );
  });

  it('turn once in the middle, on either side of it equally often', () => {
    const turns = Array.from({ length: 400 }, (_, seed) =>
      steps(
        { frames: 8, heading: 'up', profile: 'there-and-back', speed: 1, change: 0 },
        new RandomStream(seed),
      ).indexOf(-1),
    );
    expect(new Set(turns)).toEqual(new Set([3, 4]));
    const early = turns.filter((turn) => turn === 3).length;
    expect(Math.abs(early - 200)).toBeLessThan(40); // four standard errors
  });
});

describe('path', () => {
  it('starts where it is told and moves along one axis', () => {
    const way = path(
      { frames: 4, heading: 'up', profile: 'constant', speed: 2, change: 0 },
      [5, 6],
      new RandomStream(1),
    );
    expect([...way]).toEqual([5, 6, 3, 6, 1, 6, -1, 6]);
  });
});
