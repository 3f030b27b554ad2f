import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PixelImage } from '../image.ts';
import { errorOf, noise } from '../testing/pixels.ts';
import { type Box, changedBoxes } from './boxes.ts';
import { type Change, changedImage, changedMask, changedSize } from './changes.ts';
import { colorJitter } from './color.ts';
import { seededSource } from './draws.ts';
import { erased, randomErasing } from './erasing.ts';
import {
  randomCrop,
  randomFlip,
  randomMultiScaleCrop,
  randomResizedCrop,
  randomShortSide,
  sequence,
} from './geometry.ts';
import { mixedBatch, mixedLabels, mixing } from './mix.ts';
import { randAugment } from './randAugment.ts';
import { trainTransform } from './trainTransform.ts';

const seed = fc.integer();
const side = fc.integer({ min: 8, max: 60 });
const everything = sequence(
  randomShortSide({ range: [24, 40] }),
  randomCrop(24),
  randomResizedCrop({ size: 16 }),
  randomFlip(),
  colorJitter({ brightness: 0.4, contrast: 0.4, saturation: 0.4, hue: 0.2 }),
  randAugment({ magnitude: 9, layers: 3, deviation: 0.5, increasing: true }),
);

describe('random transforms', () => {
  it('draw plain data that is the same for the same seed, and does the same again', () => {
    fc.assert(
      fc.property(seed, side, side, (s, width, height) => {
        const drawn = everything(seededSource(s), { width, height });
        expect(everything(seededSource(s), { width, height })).toEqual(drawn);
        const stored = JSON.parse(JSON.stringify(drawn)) as Change[];
        const image = noise(width, height, 3, s);
        const { data, ...result } = changedImage(image, drawn);
        expect(result).toEqual({ width: 16, height: 16, channels: 3 });
        expect(changedSize(image, drawn)).toEqual({ width: 16, height: 16 });
        expect(changedImage(image, stored).data).toEqual(data);
      }),
      { numRuns: 40 },
    );
  });

  it('crop inside the picture, within the scale and ratio where a try fits', () => {
    fc.assert(
      fc.property(seed, side, side, (s, width, height) => {
        for (const transform of [randomResizedCrop({ size: 8 }), randomMultiScaleCrop({ size: 8 }), randomCrop(8)]) {
          const crop = transform(seededSource(s), { width, height })[0] as Extract<Change, { kind: 'crop' }>;
          expect(crop.left >= 0 && crop.top >= 0).toBe(true);
          expect(crop.left + crop.width <= width && crop.top + crop.height <= height).toBe(true);
        }
      }),
    );
    // Nothing of a strip of 100 x 1 has the ratio 3/4 to 4/3 and a hundredth of the area: the middle is taken.
    expect(randomResizedCrop({ size: 8, scale: [0.5, 1] })(seededSource(1), { width: 100, height: 1 })[0]).toEqual({
      kind: 'crop',
      left: 49,
      top: 0,
      width: 1,
      height: 1,
    });
  });

  it.each([
    ['a scale that is turned round', () => randomResizedCrop({ scale: [1, 0.5] }), /scale must be two numbers/],
    ['a probability above 1', () => randomFlip(2), /probability must be from 0 to 1, got 2/],
    ['a hue beyond half a turn', () => colorJitter({ hue: 0.7 }), /hue must be a number >= 0 and <= 0.5/],
    [
      'a crop of a smaller picture',
      () => randomCrop(9)(seededSource(1), { width: 8, height: 20 }),
      /9 x 9 does not fit/,
    ],
    ['no layers', () => randAugment({ layers: 0 }), /layers must be a positive integer/],
    ['another mode of erasing', () => randomErasing({ mode: 'black' as 'zero' }), /'zero', 'color' or 'pixel'/],
    ['no kind of mixing', () => mixing({ mixup: 0, cutmix: 0 }), /one of them above/],
  ])('refuse %s', (_, run, message) => {
    expect(errorOf(run).message).toMatch(message);
  });
});

describe('masks and boxes', () => {
  /** A picture of one white rectangle on black, edges at integers. */
  const rectangle = (width: number, height: number, box: Box, channels: number): PixelImage => {
    const data = new Uint8Array(width * height * channels);
    for (let y = box.top; y < box.bottom; y++)
      data.fill(255, (y * width + box.left) * channels, (y * width + box.right) * channels);
    return { data, width, height, channels };
  };
  /** The smallest box around what is white. */
  const whiteBox = ({ data, width, channels }: PixelImage): Box => {
    const white = [...data.keys()].filter((i) => data[i] === 255).map((i) => Math.floor(i / channels));
    const [xs, ys] = [white.map((i) => i % width), white.map((i) => Math.floor(i / width))];
    return { left: Math.min(...xs), top: Math.min(...ys), right: Math.max(...xs) + 1, bottom: Math.max(...ys) + 1 };
  };

  it('go where the picture goes', () => {
    const box = { left: 14, top: 9, right: 26, bottom: 21 };
    const mask = rectangle(40, 30, box, 1);
    const changes: readonly (readonly Change[])[] = [
      [{ kind: 'crop', left: 5, top: 3, width: 30, height: 25 }, { kind: 'flip' }],
      [{ kind: 'resize', width: 80, height: 90, filter: 'bilinear' }],
      [{ kind: 'rotate', degrees: 20, filter: 'bicubic', fill: [0, 0, 0] }, { kind: 'equalize' }],
      [{ kind: 'affine', matrix: [1, 0.25, 1, 0, 1, -4], filter: 'bilinear', fill: [9, 9, 9] }],
    ];
    for (const list of changes) {
      const [changed] = changedBoxes([box], mask, list);
      const seen = whiteBox(changedMask(mask, list, 0));
      // A turned rectangle touches the sides of its box in points, which pixel centres miss by up to a pixel.
      for (const edge of ['left', 'top', 'right', 'bottom'] as const) {
        expect(Math.abs(seen[edge] - (changed?.box[edge] as number))).toBeLessThanOrEqual(1);
      }
      expect(changed?.visible).toBe(1);
    }
  });

  it('keep ids, and mark what no pixel shows', () => {
    const mask = { data: Uint8Array.of(1, 7, 7, 3), width: 2, height: 2, channels: 1 };
    const shifted: Change[] = [{ kind: 'affine', matrix: [1, 0, 1, 0, 1, 0], filter: 'bicubic', fill: [0, 0, 0] }];
    expect([...changedMask(mask, shifted).data]).toEqual([7, 255, 3, 255]);
    expect([...changedMask(mask, [{ kind: 'invert' }]).data]).toEqual([1, 7, 7, 3]);
    expect(errorOf(() => changedMask(noise(2, 2, 3, 1), [])).code).toBe('InvalidImage');
  });

  it('say how much of a box is left, and drop what is gone', () => {
    const boxes = [
      { left: 0, top: 0, right: 10, bottom: 10 },
      { left: 8, top: 8, right: 12, bottom: 12 },
      { left: 30, top: 30, right: 40, bottom: 40 },
    ];
    const crop: Change[] = [{ kind: 'crop', left: 5, top: 0, width: 5, height: 10 }];
    const size = { width: 50, height: 50 };
    expect(changedBoxes(boxes, size, crop)).toEqual([
      { index: 0, box: { left: 0, top: 0, right: 5, bottom: 10 }, visible: 0.5 },
      { index: 1, box: { left: 3, top: 8, right: 5, bottom: 10 }, visible: 0.25 },
    ]);
    expect(changedBoxes(boxes, size, crop, 0.3).map(({ index }) => index)).toEqual([0]);
  });
});

describe('random erasing', () => {
  it('replaces the same rectangle of every frame, and nothing else', () => {
    const shape = [2, 8, 8, 3];
    const clip = { data: new Float32Array(2 * 8 * 8 * 3).fill(5), shape };
    const hole = { left: 2, top: 1, width: 3, height: 4, seed: 3 };
    for (const mode of ['zero', 'color', 'pixel'] as const) {
      const { data } = erased(clip, [{ ...hole, mode }]);
      const changed = [...data.keys()].filter((i) => data[i] !== 5);
      expect(changed).toHaveLength(2 * 3 * 4 * 3);
      for (const i of changed) {
        const [x, y] = [Math.floor(i / 3) % 8, Math.floor(i / 24) % 8];
        expect(x >= 2 && x < 5 && y >= 1 && y < 5).toBe(true);
      }
      expect(new Set(changed.map((i) => data[i])).size).toBe(
        mode === 'zero' ? 1 : mode === 'color' ? 3 : changed.length,
      );
      expect(erased(clip, [{ ...hole, mode }]).data).toEqual(data);
    }
    expect(errorOf(() => erased(clip, [{ ...hole, mode: 'zero', left: 6 }])).message).toMatch(/not inside of 8 x 8/);
  });
});

describe('mixing', () => {
  const shape = [4, 6, 6, 1];
  const batch = Float32Array.from({ length: 4 * 36 }, (_, i) => Math.floor(i / 36) + 1);

  it('is the sum that lambda says, also of the labels', () => {
    fc.assert(
      fc.property(seed, (s) => {
        const drawn = mixing()(seededSource(s), { width: 6, height: 6 });
        expect(drawn.lambda >= 0 && drawn.lambda <= 1).toBe(true);
        const mixed = mixedBatch(batch, shape, drawn);
        for (let i = 0; i < 4; i++) {
          const mean = mixed.slice(36 * i, 36 * (i + 1)).reduce((sum, value) => sum + value, 0) / 36;
          expect(mean).toBeCloseTo((i + 1) * drawn.lambda + (4 - i) * (1 - drawn.lambda), 4);
        }
        const labels = mixedLabels([0, 1, 2, 2], 3, drawn.lambda, 0.3);
        for (let i = 0; i < 4; i++) {
          expect(labels.slice(3 * i, 3 * i + 3).reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 5);
        }
        expect(labels[0]).toBeCloseTo(0.1 + 0.7 * drawn.lambda, 5);
        expect(labels[2]).toBeCloseTo(0.1 + 0.7 * (1 - drawn.lambda), 5);
      }),
      { numRuns: 50 },
    );
  });

  it('refuses odd batches and unknown labels', () => {
    expect(errorOf(() => mixedBatch(batch, [3, 6, 8, 1], { lambda: 0.5 })).message).toMatch(/must be even, got 3/);
    expect(errorOf(() => mixedLabels([0, 3], 3, 0.5)).message).toMatch(/0 to 2, got 3/);
  });
});

describe('trainTransform', () => {
  it('does the same to all frames of a clip', () => {
    const transform = trainTransform({ size: 16, erasing: { probability: 1, mode: 'zero' } });
    const frame = noise(40, 30, 3, 1);
    const drawn = transform.draw(seededSource(5), frame);
    expect(drawn.erasures).toHaveLength(1);
    const { data, shape } = transform.apply([frame, frame], drawn);
    expect(shape).toEqual([2, 16, 16, 3]);
    expect(data.slice(0, data.length / 2)).toEqual(data.slice(data.length / 2));
    expect(errorOf(() => transform.apply([], drawn)).message).toMatch(/at least one image/);
  });

  it('leaves out what it is told to', () => {
    const plain = trainTransform({ size: 16, flip: 0, randAugment: false, erasing: false });
    const { changes, erasures } = plain.draw(seededSource(5), { width: 40, height: 30 });
    expect(changes.map(({ kind }) => kind)).toEqual(['crop', 'resize']);
    expect(erasures).toEqual([]);
  });
});
