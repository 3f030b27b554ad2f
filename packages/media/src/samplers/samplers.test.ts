import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ImageError } from '../errors.ts';
import type { RandomSource } from '../frames.ts';
import { linspace } from './linspace.ts';
import { type SampleFramesOptions, sampleFrames } from './sampleFrames.ts';
import { type StridedOptions, stridedFrames, trimmedStridedFrames } from './strided.ts';
import { type UniformOptions, uniformFrames } from './uniform.ts';
import { clipViews, uniformCrop } from './views.ts';

interface Case {
  readonly sampler: 'strided' | 'trimmed' | 'uniform' | 'sampleFrames';
  readonly length: number;
  readonly options: object;
  readonly training?: boolean;
  /** what the public code drew, as fractions of the range */
  readonly random: readonly number[];
  readonly indices: readonly number[];
}

const { cases } = JSON.parse(await readFile(new URL('../fixtures/samplers.json', import.meta.url), 'utf8')) as {
  readonly cases: readonly Case[];
};

/** A source that repeats what was drawn, once. */
function replay(fractions: readonly number[]): RandomSource {
  const left = [...fractions];
  return {
    uniform(low, high) {
      const next = left.shift();
      if (next === undefined) throw new Error('more numbers drawn than by the public code');
      return low + (high - low) * next;
    },
  };
}

function sampled({ sampler, length, options, random, training }: Case): number[] {
  const draws = random.length > 0 || training ? { random: replay(random) } : {};
  switch (sampler) {
    case 'strided':
      return stridedFrames(length, { ...(options as StridedOptions), ...draws });
    case 'trimmed':
      return trimmedStridedFrames(length, options as StridedOptions);
    case 'uniform':
      return uniformFrames(length, { ...(options as UniformOptions), ...draws });
    case 'sampleFrames':
      return sampleFrames(length, { ...(options as SampleFramesOptions), ...draws });
  }
}

describe.each(['strided', 'trimmed', 'uniform', 'sampleFrames'] as const)('%s', (sampler) => {
  const own = cases.filter((one) => one.sampler === sampler);

  it('is there in numbers', () => expect(own.length).toBeGreaterThan(50));

  it('gives the frames of the public code', () => {
    for (const one of own) expect({ ...one, indices: sampled(one) }).toEqual(one);
  });
});

const length = fc.integer({ min: 1, max: 400 });
const frames = fc.integer({ min: 1, max: 70 });

describe('all samplers', () => {
  it('stay inside the video, in order within a clip', () => {
    fc.assert(
      fc.property(
        length,
        frames,
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 6 }),
        (n, count, rate, views) => {
          const view = rate % views;
          const clips = [
            stridedFrames(n, { frames: count, samplingRate: rate, fps: 24, views, view }),
            trimmedStridedFrames(n, { frames: count, samplingRate: rate, fps: 24, views, view }),
            uniformFrames(n, { frames: count, views, view }),
            sampleFrames(n, { clipLength: count, frameInterval: rate, outOfBounds: 'repeatLast' }),
          ];
          for (const clip of clips) {
            expect(clip).toHaveLength(count);
            expect(clip.every((i) => Number.isInteger(i) && i >= 0 && i < n)).toBe(true);
            expect(clip).toEqual([...clip].sort((a, b) => a - b));
          }
        },
      ),
    );
  });

  it.each([
    ['no frames', () => uniformFrames(10, { frames: 0 }), /frames must be a positive integer, got 0/],
    ['an empty video', () => stridedFrames(0, { frames: 4, samplingRate: 2 }), /length must be/],
    [
      'a view too many',
      () => uniformFrames(10, { frames: 4, views: 2, view: 2 }),
      /view must be an integer from 0 to 1, got 2/,
    ],
    [
      'a rate of nothing',
      () => stridedFrames(9, { frames: 4, samplingRate: 0 }),
      /samplingRate must be a positive number/,
    ],
    [
      'a view of a random clip',
      () => stridedFrames(9, { frames: 4, samplingRate: 1, view: 0, random: replay([]) }),
      /view must be left out/,
    ],
    ['two halves of one clip', () => sampleFrames(9, { clipLength: 4, twice: true }), /twice needs clipLength 1/],
    [
      'another rule for the end',
      () => sampleFrames(9, { clipLength: 4, outOfBounds: 'mirror' as 'loop' }),
      /'loop' or 'repeatLast', got mirror/,
    ],
  ])('refuse %s', (_, call, message) => {
    expect(call).toThrow(ImageError);
    expect(call).toThrow(message);
  });
});

describe('linspace', () => {
  it('has the last bits of PyTorch', () => {
    expect(linspace(0, 63, 16).slice(4, 7)).toEqual([16.8, 21, 25.199999].map(Math.fround));
    expect(linspace(0, 63, 15)[5]).toBe(22.5);
    expect(linspace(0, 63, 16).at(-1)).toBe(63);
    expect(linspace(3, 9, 1)).toEqual([3]);
  });
});

describe('clipViews and uniformCrop', () => {
  it('go through all crops of a view before the next', () => {
    expect(clipViews(2, 3).map(({ view, position }) => [view, position])).toEqual([
      [0, 0],
      [0, 1],
      [0, 2],
      [1, 0],
      [1, 1],
      [1, 2],
    ]);
    expect(clipViews(2, 1)).toEqual([
      { view: 0, position: 1 },
      { view: 1, position: 1 },
    ]);
    expect(() => clipViews(1, 5 as 3)).toThrow(/crops must be 1 or 3, got 5/);
  });

  it('lie along the longer side, the middle rounded up', () => {
    const places = (width: number, height: number) =>
      ([0, 1, 2] as const).map((position) => {
        const { left, top } = uniformCrop({ width, height }, 224, position);
        return [left, top];
      });
    expect(places(341, 256)).toEqual([
      [0, 16],
      [59, 16],
      [117, 16],
    ]);
    expect(places(256, 341)).toEqual([
      [16, 0],
      [16, 59],
      [16, 117],
    ]);
    expect(places(227, 227)).toEqual([
      [0, 2],
      [2, 2],
      [3, 2],
    ]);
    expect(() => uniformCrop({ width: 200, height: 300 }, 224, 0)).toThrow(/does not fit into 200 x 300/);
  });
});
