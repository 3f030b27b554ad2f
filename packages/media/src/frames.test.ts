import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { multiScaleCrop, testCrops } from './clipCrops.ts';
import { crop, flipHorizontal } from './crop.ts';
import { denseFrames, segmentFrames } from './frames.ts';
import { errorOf, noise } from './testing/pixels.ts';

/** A source that gives the same share of every range. */
const at = (share: number) => ({ uniform: (low: number, high: number) => low + share * (high - low) });

describe('segmentFrames', () => {
  it('takes the middle of each segment, by the arithmetic of the public code', () => {
    expect(segmentFrames(16, { segments: 8 })).toEqual([1, 3, 5, 7, 9, 11, 13, 15]);
    expect(segmentFrames(10, { segments: 3 })).toEqual([1, 5, 8]);
    expect(segmentFrames(2, { segments: 4 })).toEqual([0, 0, 1, 1]);
  });

  it('adds the first frames of the segments for two clips', () => {
    expect(segmentFrames(9, { segments: 3, mode: 'twice' })).toEqual([1, 4, 7, 0, 3, 6]);
  });

  it('draws within segments and never the frames that are over', () => {
    expect(segmentFrames(11, { segments: 3, mode: 'random', random: at(0) })).toEqual([0, 3, 6]);
    expect(segmentFrames(11, { segments: 3, mode: 'random', random: at(0.999) })).toEqual([2, 5, 8]);
    expect(segmentFrames(11, { segments: 3, mode: 'random', random: at(1) })).toEqual([2, 5, 8]);
    expect(segmentFrames(2, { segments: 3, mode: 'random', random: at(0.9) })).toEqual([0, 0, 0]);
  });

  it('stays inside of the clip, in order, for every length', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 400 }),
        fc.integer({ min: 1, max: 64 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (length, segments, share) => {
          for (const mode of ['center', 'fixed', 'random'] as const) {
            const frames = segmentFrames(length, { segments, mode, random: at(share) });
            expect(frames).toHaveLength(segments);
            expect(frames).toEqual([...frames].sort((a, b) => a - b));
            expect(frames[0]).toBeGreaterThanOrEqual(0);
            expect(frames.at(-1)).toBeLessThan(length);
          }
          for (const frame of denseFrames(length, { segments })) expect(frame >= 0 && frame < length).toBe(true);
        },
      ),
    );
  });

  it('refuses what cannot be', () => {
    expect(errorOf(() => segmentFrames(0, { segments: 8 })).code).toBe('InvalidOption');
    expect(errorOf(() => segmentFrames(8, { segments: 1.5 })).message).toMatch(/segments/);
    expect(errorOf(() => segmentFrames(8, { segments: 8, mode: 'random' })).message).toMatch(/random/);
    expect(errorOf(() => denseFrames(100, { segments: 65 })).message).toMatch(/at most 64/);
  });
});

describe('denseFrames', () => {
  it('steps through a window of 64 frames, and begins again where a clip ends', () => {
    expect(denseFrames(200, { segments: 8, random: at(0) })).toEqual([0, 8, 16, 24, 32, 40, 48, 56]);
    expect(denseFrames(200, { segments: 8, random: at(1) })[0]).toBe(135); // of 137 places the last is never drawn
    expect(denseFrames(10, { segments: 8, random: at(0.5) })).toEqual([0, 8, 6, 4, 2, 0, 8, 6]);
  });

  it('gives ten clips for evaluation, the last from the last place', () => {
    const frames = denseFrames(100, { segments: 4 });
    expect(frames).toHaveLength(40);
    expect(frames.slice(0, 4)).toEqual([0, 16, 32, 48]);
    expect(frames.slice(36)).toEqual([36, 52, 68, 84]);
  });
});

describe('crops of clips', () => {
  const frame = { width: 320, height: 240 };

  it('has the crops of an evaluation in the order of the public code', () => {
    const places = (count: 1 | 3 | 5 | 10) =>
      testCrops(count, frame, 224).map(({ left, top, flip }) => [left, top, flip]);
    expect(places(1)).toEqual([[48, 8, false]]);
    expect(places(3)).toEqual([
      [0, 8, false],
      [96, 8, false],
      [48, 8, false],
    ]);
    expect(places(10).slice(0, 4)).toEqual([
      [0, 0, false],
      [0, 0, true],
      [96, 0, false],
      [96, 0, true],
    ]);
    expect(places(5)).toEqual(places(10).filter(([, , flip]) => !flip));
    expect(errorOf(() => testCrops(3, frame, 256)).message).toMatch(/do not fit/);
    expect(errorOf(() => testCrops(4 as 3, frame, 224)).message).toMatch(/1, 3, 5 or 10/);
  });

  it('draws crops that lie inside, of the sizes that the scales say', () => {
    const sides = new Set([240, 210, 180, 158]);
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, noNaN: true }), (share) => {
        const box = multiScaleCrop(at(share), frame);
        expect(sides.has(box.width) && sides.has(box.height)).toBe(true);
        expect(box.left + box.width <= 320 && box.top + box.height <= 240 && box.left >= 0 && box.top >= 0).toBe(true);
      }),
    );
    expect(multiScaleCrop(at(0), { width: 226, height: 226 })).toMatchObject({ width: 224, height: 224 });
    expect(errorOf(() => multiScaleCrop(at(0), frame, { scales: [1.5] })).message).toMatch(/scales/);
  });

  it('cuts and mirrors', () => {
    const image = { data: Uint8Array.from({ length: 24 }, (_, i) => i), width: 4, height: 3, channels: 2 };
    expect([...crop(image, { left: 1, top: 1, width: 2, height: 2 }).data]).toEqual([10, 11, 12, 13, 18, 19, 20, 21]);
    expect([...flipHorizontal(image).data.subarray(0, 8)]).toEqual([6, 7, 4, 5, 2, 3, 0, 1]);
    const picture = noise(7, 5, 3, 1);
    expect(flipHorizontal(flipHorizontal(picture)).data).toEqual(picture.data);
    for (const box of [
      { left: -1, top: 0, width: 2, height: 2 },
      { left: 3, top: 0, width: 2, height: 2 },
      { left: 0.5, top: 0, width: 2, height: 2 },
    ]) {
      expect(errorOf(() => crop(image, box)).code).toBe('InvalidOption');
    }
  });
});
