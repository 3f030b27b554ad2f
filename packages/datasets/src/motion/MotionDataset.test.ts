import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Clip, mapClips, readBatch, reorderFrames } from '../clips.ts';
import type { DigitSet } from '../digits.ts';
import { loadMnist } from '../mnist.ts';
import { meanFrame, measureSteps, nearestClassMean } from '../testing/statistics.ts';
import { reverse, shuffleFrames } from './controls.ts';
import { MotionDataset } from './MotionDataset.ts';
import type { MotionOptions } from './options.ts';
import { MOTION_TASKS, type MotionTask } from './tasks.ts';

const SIZE = 32;
const PIXELS = SIZE * SIZE;
const HARD = { texture: 0.4, pan: [0.5, 2], distractors: 1, noise: 8 } as const;

let digits: DigitSet;
beforeAll(async () => {
  digits = await loadMnist();
});

const make = (task: MotionTask, more: Partial<MotionOptions> = {}) =>
  new MotionDataset({ digits, task, split: 'train', length: 10_000, seed: 7, ...more });

describe('MotionDataset', () => {
  it('makes a clip from (seed, split, index) alone, in any order and for any length', () => {
    const first = make('motion', HARD);
    const second = make('motion', { ...HARD, length: 500 });
    fc.assert(
      fc.property(fc.nat(499), fc.nat(499), (a, b) => {
        const clip = first.get(a);
        second.get(b);
        expect(second.get(a)).toEqual(clip);
      }),
      { numRuns: 20 },
    );
    for (const other of [make('motion', { ...HARD, seed: 8 }), make('motion', { ...HARD, split: 'validation' })]) {
      expect(other.get(3).frames).not.toEqual(first.get(3).frames);
    }
  });

  it('is balanced over classes', () => {
    const counts = new Array<number>(16).fill(0);
    const clips = make('motion');
    for (let index = 0; index < 160; index++) counts[clips.get(index).label]!++;
    expect(counts).toEqual(new Array(16).fill(10));
  });

  it('takes the digits of the three splits from disjoint sets of images', () => {
    const used = (split: 'train' | 'validation' | 'test') =>
      Array.from({ length: 2000 }, (_, index) => make('direction', { split, frames: 2 }).get(index).digit);
    for (const { index } of used('train')) expect(index).toBeLessThan(55_000);
    for (const { index } of used('validation')) expect(index).toBeGreaterThanOrEqual(55_000);
    // Test digits come from another file altogether: their values must be that file's labels.
    const test = used('test');
    expect(test.every(({ index, value }) => digits.test.labels[index] === value)).toBe(true);
    expect(test.every(({ index, value }) => digits.train.labels[index] === value)).toBe(false);
    expect(new Set(test.map(({ value }) => value)).size).toBe(10);
  });

  it('draws the motion that it states: the pixels move by the stated steps', () => {
    for (const task of MOTION_TASKS) {
      const clips = make(task);
      for (let index = 0; index < 64; index++) {
        const { frames, positions } = clips.get(index);
        measureSteps(frames, SIZE).forEach(([dy, dx], t) => {
          // Rounding to whole grey levels moves the centre by a few hundredths of a pixel.
          expect(Math.abs(dy - (positions[2 * t + 2]! - positions[2 * t]!))).toBeLessThan(0.1);
          expect(Math.abs(dx - (positions[2 * t + 3]! - positions[2 * t + 1]!))).toBeLessThan(0.1);
        });
      }
    }
  });

  it('can be read back: a rule on measured steps names every class', () => {
    const clips = make('motion');
    for (let index = 0; index < 320; index++) {
      const clip = clips.get(index);
      const moved = measureSteps(clip.frames, SIZE);
      const axis = moved.reduce((sum, [dy, dx]) => sum + Math.abs(dx) - Math.abs(dy), 0) > 0 ? 1 : 0;
      const way = moved.map((step) => step[axis]);
      const sign = Math.sign(way[0]! + way[1]! + way[2]!);
      const [start, end] = [(way[0]! + way[1]!) * sign, (way[5]! + way[6]!) * sign];
      const heading = axis === 1 ? (sign > 0 ? 'right' : 'left') : sign > 0 ? 'down' : 'up';
      const trend = (end - start) / (Math.abs(end) + Math.abs(start));
      const profile =
        end < -0.2 ? 'there-and-back' : trend > 0.2 ? 'accelerate' : trend < -0.2 ? 'decelerate' : 'constant';
      expect(`${profile} ${heading}`).toBe(clips.classes[clip.label]);
    }
  });

  it.each([
    ['option', { task: 'sideways' as MotionTask }],
    ['option', { frames: 2 }],
    ['option', { speed: [3, 1] as const }],
    ['option', { speed: [1, 9] as const }],
    ['option', { change: [0, 2] as const }],
    ['option', { scale: [1, 1.5] as const }],
    ['option', { length: 0 }],
    ['option', { seed: 0.5 }],
    ['option', { noise: Number.NaN }],
    ['option', { validationDigits: 60_000 }],
  ])('refuses options that cannot work (%s %o)', (code, options) => {
    expect(() => make('motion', options)).toThrow(expect.objectContaining({ name: 'DatasetError', code }));
  });

  it.each([-1, 10_000, 1.5, Number.NaN])('refuses index %s', (index) => {
    expect(() => make('motion').get(index)).toThrow(expect.objectContaining({ code: 'index' }));
  });
});

describe('a single frame', () => {
  // Frame t of the clips of a class, averaged: over a torus with a uniform start it must be flat, and equally bright.
  it.each([
    ['direction', 0, {}],
    ['speed', 7, {}],
    ['speed', 4, HARD],
  ] as const)('says nothing about the label of %s (frame %i)', (task, frame, options) => {
    const clips = make(task, { ...options, seed: 11 });
    const count = options === HARD ? 600 : 1500;
    const groups = clips.classes.map(() => ({ sum: new Float64Array(PIXELS), squares: 0, total: 0 }));
    for (let index = 0; index < count * clips.classes.length; index++) {
      const { frames, label } = clips.get(index);
      const group = groups[label]!;
      for (let pixel = 0; pixel < PIXELS; pixel++) {
        const value = frames[frame * PIXELS + pixel]!;
        group.sum[pixel]! += value;
        group.squares += value * value;
        group.total += value;
      }
    }
    const grand = groups.reduce((sum, { total }) => sum + total, 0) / (count * PIXELS * groups.length);
    for (const { sum, squares, total } of groups) {
      const mean = total / (count * PIXELS);
      const deviation = Math.sqrt(squares / (count * PIXELS) - mean * mean);
      const error = deviation / Math.sqrt(count);
      // 1,024 pixels: the largest of so many normal deviations is beyond 5 once in 1,700 draws.
      const worst = Math.max(...sum.map((pixel) => Math.abs(pixel / count - mean))) / error;
      expect(worst).toBeLessThan(5);
      expect(worst).toBeGreaterThan(1);
      expect(Math.abs(mean / grand - 1)).toBeLessThan(0.05);
    }
  });
});

describe('frames without their order', () => {
  // Chance is 25 %; over 2,000 clips its standard error is 0.97 %. Three and a half of them: 0.216 to 0.284.
  const low = 0.25 - 3.5 * Math.sqrt((0.25 * 0.75) / 2000);
  const high = 0.5 - low;

  it.each([
    ['direction', 'mean image', (clip: Clip) => meanFrame(clip.frames, PIXELS, 0, 8)],
    ['direction', 'last frame', (clip: Clip) => meanFrame(clip.frames, PIXELS, 7, 8)],
    ['speed', 'mean image', (clip: Clip) => meanFrame(clip.frames, PIXELS, 0, 8)],
    ['speed', 'first frame', (clip: Clip) => meanFrame(clip.frames, PIXELS, 0, 1)],
  ] as const)('leave the nearest class mean at chance (%s, %s)', (task, _, feature) => {
    const train = make(task, { length: 2000 });
    const test = make(task, { length: 2000, split: 'test' });
    const accuracy = nearestClassMean(train, test, feature);
    expect(accuracy).toBeGreaterThan(low);
    expect(accuracy).toBeLessThan(high);
  });

  it('while the same classifier on the steps between frames is right', () => {
    const feature = (clip: Clip) => Float64Array.from(measureSteps(clip.frames, SIZE).flat());
    const train = make('direction', { length: 400 });
    const test = make('direction', { length: 400, split: 'test' });
    expect(nearestClassMean(train, test, feature)).toBe(1);
    const shuffled = mapClips(test, shuffleFrames);
    expect(nearestClassMean(train, shuffled, feature)).toBeLessThan(0.6);
  });
});

describe('controls', () => {
  it.each(MOTION_TASKS)('%s: a clip played backwards shows the class it is labelled with', (task) => {
    const clips = make(task);
    for (let index = 0; index < 32; index++) {
      const clip = clips.get(index);
      const backwards = reverse(clip);
      const forwards = clips.classes[backwards.label]!;
      if (task !== 'direction') expect(forwards.startsWith(backwards.profile)).toBe(true);
      if (task !== 'speed') expect(forwards.endsWith(backwards.heading)).toBe(true);
      // The first step of the reversed film must go where its heading says.
      const [dy, dx] = measureSteps(backwards.frames, SIZE)[0]!;
      const seen = Math.abs(dx) > Math.abs(dy) ? (dx > 0 ? 'right' : 'left') : dy > 0 ? 'down' : 'up';
      expect(seen === backwards.heading || Math.hypot(dx, dy) < 0.2).toBe(true);
      expect(reverse(backwards)).toEqual(clip);
    }
  });

  it('shuffling keeps the frames and is the same every time', () => {
    const clip = make('speed').get(5);
    const shuffled = shuffleFrames(clip, 3);
    expect(shuffleFrames(clip, 3)).toEqual(shuffled);
    expect(shuffled.frames).not.toEqual(clip.frames);
    const bag = (frames: Uint8Array) =>
      Array.from({ length: 8 }, (_, t) => frames.subarray(t * PIXELS, (t + 1) * PIXELS).join()).sort();
    expect(bag(shuffled.frames)).toEqual(bag(clip.frames));
  });

  it('shuffling uses every order equally often', () => {
    const clip = make('direction', { frames: 3 }).get(0);
    const seen = new Map<string, number>();
    for (let seed = 0; seed < 600; seed++) {
      const key = shuffleFrames(clip, seed).positions.join();
      seen.set(key, (seen.get(key) ?? 0) + 1);
    }
    expect(seen.size).toBe(6);
    for (const count of seen.values()) expect(Math.abs(count - 100)).toBeLessThan(40); // over four standard errors
  });
});

describe('readBatch', () => {
  it('puts clips side by side in the order asked for', () => {
    const clips = make('direction');
    const batch = readBatch(clips, [5, 2]);
    expect(batch.shape).toEqual([2, 8, 32, 32]);
    expect([...batch.labels]).toEqual([1, 2]);
    expect(batch.frames.subarray(0, 8 * PIXELS)).toEqual(clips.get(5).frames);
    expect(batch.frames.subarray(8 * PIXELS)).toEqual(clips.get(2).frames);
  });

  it('reads through mapClips', () => {
    const backwards = mapClips(make('direction'), reverse);
    expect([...readBatch(backwards, [0, 1, 2, 3]).labels]).toEqual([1, 0, 3, 2]);
  });
});

describe('reorderFrames', () => {
  it('refuses what is no permutation', () => {
    const frames = new Uint8Array(12);
    for (const order of [
      [0, 0, 1],
      [0, 1, 3],
      [0, 1, 2, 3, 4],
    ]) {
      expect(() => reorderFrames(frames, order)).toThrow(expect.objectContaining({ code: 'option' }));
    }
  });
});
