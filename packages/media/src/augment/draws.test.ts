import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RandomSource } from '../frames.ts';
import { fixture } from '../testing/pixels.ts';
import { integer, normal, permuted, seededSource, symmetricBeta } from './draws.ts';
import { type RandomErasingOptions, randomErasing } from './erasing.ts';
import { cutmixBox } from './mix.ts';
import { parseRandAugment, randAugment } from './randAugment.ts';

type Size = readonly [width: number, height: number];
type Case = { readonly size: Size; readonly random: readonly number[] } & (
  | { readonly what: 'randAugment'; readonly config: string; readonly changes: readonly object[] }
  | { readonly what: 'erasing'; readonly options: RandomErasingOptions; readonly boxes: readonly object[] }
  | { readonly what: 'cutmix'; readonly lambda: number; readonly box: object }
);

const { cases } = JSON.parse(new TextDecoder().decode(fixture('timm_draws.json'))) as { cases: readonly Case[] };

function replay(fractions: readonly number[]): RandomSource & { readonly left: number[] } {
  const left = [...fractions];
  return {
    left,
    uniform(low, high) {
      if (left.length === 0) throw new Error('more numbers drawn than by the public code');
      return low + (high - low) * (left.shift() as number);
    },
  };
}

describe('what timm draws from the same random numbers', () => {
  const all = <W extends Case['what']>(what: W) =>
    cases.filter((one) => one.what === what) as Extract<Case, { what: W }>[];

  it('is what RandAugment draws, to the matrix', () => {
    expect(all('randAugment').length).toBeGreaterThan(50);
    for (const { config, size, random, changes } of all('randAugment')) {
      const source = replay(random);
      const options = { ...parseRandAugment(config), fill: [124, 116, 104] as const };
      const drawn = randAugment(options)(source, { width: size[0], height: size[1] });
      expect(rounded(drawn)).toEqual(rounded(changes));
      expect(source.left).toEqual([]);
    }
  });

  it('is what random erasing draws', () => {
    expect(all('erasing').length).toBeGreaterThan(20);
    for (const { options, size, random, boxes } of all('erasing')) {
      const source = replay(random);
      const drawn = randomErasing(options)(source, { width: size[0], height: size[1] });
      expect(drawn.map(({ left, top, width, height }) => ({ left, top, width, height }))).toEqual(boxes);
      expect(source.left).toEqual([]);
    }
  });

  it('is the rectangle of CutMix', () => {
    expect(all('cutmix').length).toBeGreaterThan(20);
    for (const { lambda, size, random, box } of all('cutmix')) {
      expect(cutmixBox(replay(random), { width: size[0], height: size[1] }, lambda)).toEqual(box);
    }
  });
});

/** Sines and logarithms may differ in their last digit. */
function rounded(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_, part) => (typeof part === 'number' ? Number(part.toFixed(10)) + 0 : part)),
  );
}

describe('draws', () => {
  const random = seededSource(7);
  const many = (draw: () => number) => Array.from({ length: 20_000 }, draw);
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

  // The limits are five standard errors.
  it('are uniform, normal and beta distributed', () => {
    expect(Math.abs(mean(many(() => random.uniform(0, 1))) - 0.5)).toBeLessThan(0.011);
    const normals = many(() => normal(random, 3, 2));
    expect(Math.abs(mean(normals) - 3)).toBeLessThan(0.071);
    expect(Math.abs(mean(normals.map((x) => (x - 3) ** 2)) - 4)).toBeLessThan(0.2);
    for (const alpha of [0.2, 0.8, 1, 4]) {
      const shares = many(() => symmetricBeta(random, alpha));
      expect(shares.every((x) => x >= 0 && x <= 1)).toBe(true);
      expect(Math.abs(mean(shares) - 0.5)).toBeLessThan(0.018);
      // Variance of Beta(a, a).
      expect(mean(shares.map((x) => (x - 0.5) ** 2))).toBeCloseTo(1 / (4 * (2 * alpha + 1)), 2);
    }
  });

  it('take both ends of a range, and keep what they permute', () => {
    expect(new Set(many(() => integer(random, -1, 2)))).toEqual(new Set([-1, 0, 1, 2]));
    fc.assert(
      fc.property(fc.array(fc.integer()), fc.integer(), (values, seed) => {
        expect(permuted(seededSource(seed), values).sort((a, b) => a - b)).toEqual([...values].sort((a, b) => a - b));
      }),
    );
  });

  it('are the same for the same seed, and stay below the upper end', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const [a, b] = [seededSource(seed), seededSource(seed)];
        const values = Array.from({ length: 50 }, () => a.uniform(0, 1));
        expect(values).toEqual(Array.from({ length: 50 }, () => b.uniform(0, 1)));
        expect(values.every((x) => x >= 0 && x < 1)).toBe(true);
      }),
    );
  });
});

describe('parseRandAugment', () => {
  it('reads the strings of timm', () => {
    expect(parseRandAugment('rand-m9-mstd0.5-inc1')).toEqual({ magnitude: 9, deviation: 0.5, increasing: true });
    expect(parseRandAugment('rand-n3-p0.7-mmax20')).toEqual({ layers: 3, probability: 0.7, maxMagnitude: 20 });
  });

  it.each(['augmix-m5', 'rand-m', 'rand-tweights', 'rand-x5', ''])('refuses %j', (text) => {
    expect(() => parseRandAugment(text)).toThrow(/InvalidOption/);
  });
});
