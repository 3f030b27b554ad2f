import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { gather, reverseBytes } from './gather.ts';

/** The definition, one byte at a time. */
function byLoops(bytes: Uint8Array, width: number, shape: readonly number[], stride: readonly number[]): number[] {
  const out: number[] = [];
  const visit = (axis: number, at: number): void => {
    if (axis === shape.length) out.push(...bytes.subarray(at * width, (at + 1) * width));
    else for (let i = 0; i < shape[axis]!; i++) visit(axis + 1, at + i * stride[axis]!);
  };
  visit(0, 0);
  return out;
}

describe('gather', () => {
  it('is its definition, for every width, shape, stride and alignment', () => {
    const axes = fc.array(fc.tuple(fc.nat({ max: 4 }), fc.nat({ max: 5 })), { maxLength: 4 });
    fc.assert(
      fc.property(fc.constantFrom(1, 2, 4, 8, 16), axes, fc.nat({ max: 3 }), (width, pairs, misaligned) => {
        const shape = pairs.map(([size]) => size);
        const stride = pairs.map(([, step]) => step);
        const last = pairs.reduce((sum, [size, step]) => sum + Math.max(0, size - 1) * step, 0);
        const memory = Uint8Array.from({ length: misaligned + (last + 1) * width }, (_, i) => (i * 37) & 255);
        const bytes = memory.subarray(misaligned);
        expect([...gather(bytes, width, shape, stride)]).toEqual(byLoops(bytes, width, shape, stride));
      }),
    );
  });

  it('transposes', () => {
    expect([...gather(Uint8Array.of(1, 2, 3, 4, 5, 6), 1, [3, 2], [1, 3])]).toEqual([1, 4, 2, 5, 3, 6]);
  });
});

describe('reverseBytes', () => {
  it.each([
    [1, [1, 2, 3, 4]],
    [2, [2, 1, 4, 3]],
    [4, [4, 3, 2, 1]],
  ])('reverses words of %s bytes', (width, expected) => {
    const bytes = Uint8Array.of(1, 2, 3, 4);
    reverseBytes(bytes, width);
    expect([...bytes]).toEqual(expected);
  });
});
