import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  convLayout,
  depthwiseLayout,
  fromTorch,
  identityLayout,
  linearLayout,
  pointwiseLayout,
  toTorch,
} from './layout.ts';

/** Row-major position of `index` in an array of `shape`. */
const position = (shape: readonly number[], index: readonly number[]) =>
  index.reduce((at, i, axis) => at * (shape[axis] as number) + i, 0);

/** All indices of `shape`, in row-major order. */
function indices(shape: readonly number[]): number[][] {
  return shape.reduce<number[][]>(
    (all, size) => all.flatMap((index) => Array.from({ length: size }, (_, i) => [...index, i])),
    [[]],
  );
}

/** 0, 1, 2, ...: each value says where it came from. */
const counting = (shape: readonly number[]) => Float32Array.from(indices(shape), (_, i) => i);

/** `at` says under which PyTorch index our element lies. */
const cases = [
  { name: 'identity', layout: identityLayout, ours: [2, 3], torch: [2, 3], at: (i: number[]) => i },
  { name: 'linear [O, I]', layout: linearLayout, ours: [2, 3], torch: [3, 2], at: ([i, o]: number[]) => [o, i] },
  {
    name: '1x1 convolution [O, I, 1, 1]',
    layout: pointwiseLayout(2),
    ours: [2, 3],
    torch: [3, 2, 1, 1],
    at: ([i, o]: number[]) => [o, i, 0, 0],
  },
  {
    name: '1x1x1 convolution [O, I, 1, 1, 1]',
    layout: pointwiseLayout(3),
    ours: [2, 3],
    torch: [3, 2, 1, 1, 1],
    at: ([i, o]: number[]) => [o, i, 0, 0, 0],
  },
  {
    name: 'convolution [O, I, kh, kw]',
    layout: convLayout,
    ours: [2, 3, 4, 5],
    torch: [5, 4, 2, 3],
    at: ([u, v, i, o]: number[]) => [o, i, u, v],
  },
  {
    name: 'convolution [O, I, kt, kh, kw]',
    layout: convLayout,
    ours: [2, 1, 3, 2, 3],
    torch: [3, 2, 2, 1, 3],
    at: ([t, u, v, i, o]: number[]) => [o, i, t, u, v],
  },
  {
    name: 'depthwise convolution [C*M, 1, kh, kw]',
    layout: depthwiseLayout,
    ours: [3, 2, 4, 3],
    torch: [12, 1, 3, 2],
    at: ([u, v, c, m]: number[]) => [(c as number) * 3 + (m as number), 0, u, v],
  },
  {
    name: 'depthwise convolution [C*M, 1, kt, kh, kw]',
    layout: depthwiseLayout,
    ours: [3, 1, 2, 2, 2],
    torch: [4, 1, 3, 1, 2],
    at: ([t, u, v, c, m]: number[]) => [(c as number) * 2 + (m as number), 0, t, u, v],
  },
];

describe('weight layouts', () => {
  it.each(cases)('$name', ({ layout, ours, torch, at }) => {
    expect(layout.torchShape(ours)).toEqual(torch);
    const expected = indices(ours).map((index) => position(torch, at(index) as number[]));
    expect([...fromTorch(layout, ours, counting(torch))]).toEqual(expected);
    // The other way: PyTorch's element holds the number of ours.
    const values = toTorch(layout, ours, counting(ours));
    expect(expected.map((p) => values[p])).toEqual([...counting(ours)]);
  });

  it('are one-to-one', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 4, maxLength: 5 });
    fc.assert(
      fc.property(sizes, fc.constantFrom(convLayout, depthwiseLayout, identityLayout), (shape, layout) => {
        const values = counting(shape);
        expect(fromTorch(layout, shape, toTorch(layout, shape, values))).toEqual(values);
      }),
      { seed: 1 },
    );
  });
});
