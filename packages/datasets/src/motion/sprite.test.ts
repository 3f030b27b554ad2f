import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RandomStream } from '../random.ts';
import { paint, scaleDigit } from './sprite.ts';

const SIDE = 12;
const random = new RandomStream(3);
const digit = Uint8Array.from({ length: 36 }, () => random.below(256));
const sprite = scaleDigit(digit, 6, 1);

function painted(y: number, x: number, brightness = 1): Float32Array {
  const canvas = new Float32Array(SIDE * SIDE);
  paint(canvas, SIDE, sprite, y, x, brightness, new Float32Array(SIDE * SIDE));
  return canvas;
}
const total = (values: Float32Array) => values.reduce((sum, value) => sum + value, 0);

describe('scaleDigit', () => {
  it('at scale 1 is the digit', () => {
    expect(sprite.size).toBe(6);
    sprite.coverage.forEach((value, pixel) => {
      expect(value).toBeCloseTo(digit[pixel]! / 255, 6);
    });
  });

  it('keeps a flat interior flat and the ink in proportion to the area', () => {
    const flat = new Uint8Array(28 * 28);
    for (let y = 7; y < 21; y++) flat.fill(255, y * 28 + 7, y * 28 + 21);
    for (const scale of [0.4, 0.5, 0.75, 1.6]) {
      const { size, coverage } = scaleDigit(flat, 28, scale);
      const middle = Math.floor(size / 2);
      expect(coverage[middle * size + middle]).toBeCloseTo(1, 5);
      expect(total(coverage) / (14 * scale) ** 2).toBeCloseTo(1, 1);
    }
  });
});

describe('paint', () => {
  const place = fc.double({ min: -40, max: 40, noNaN: true });

  it('at whole pixels copies the sprite around its centre', () => {
    const canvas = painted(5, 6);
    expect(canvas[2 * SIDE + 3]).toBeCloseTo(sprite.coverage[0]!, 6);
    expect(canvas[7 * SIDE + 8]).toBeCloseTo(sprite.coverage[35]!, 6);
    expect(canvas[8 * SIDE + 9]).toBe(0);
  });

  it('keeps the ink wherever it is, edges and fractions of a pixel included', () => {
    fc.assert(
      fc.property(place, place, (y, x) => {
        expect(total(painted(y, x))).toBeCloseTo(total(sprite.coverage), 3);
      }),
    );
  });

  it('is the same one canvas further, and shifts by whole pixels exactly', () => {
    fc.assert(
      fc.property(fc.integer({ min: -64, max: 64 }), fc.nat(SIDE - 1), fc.nat(SIDE - 1), (quarters, dy, dx) => {
        const [y, x] = [quarters / 4, -quarters / 4];
        const here = painted(y, x);
        expect(painted(y + SIDE, x - 2 * SIDE)).toEqual(here);
        const there = painted(y + dy, x + dx);
        for (let row = 0; row < SIDE; row++) {
          for (let column = 0; column < SIDE; column++) {
            const target = ((row + dy) % SIDE) * SIDE + ((column + dx) % SIDE);
            expect(there[target]).toBe(here[row * SIDE + column]);
          }
        }
      }),
      { numRuns: 30 },
    );
  });

  it('covers what is behind', () => {
    const canvas = new Float32Array(SIDE * SIDE).fill(0.5);
    const full = { size: 2, coverage: new Float32Array(4).fill(1) };
    paint(canvas, SIDE, full, 4, 4, 0.25, new Float32Array(SIDE * SIDE));
    expect(canvas[3 * SIDE + 3]).toBe(0.25);
    expect(canvas[5 * SIDE + 5]).toBe(0.5);
  });
});
