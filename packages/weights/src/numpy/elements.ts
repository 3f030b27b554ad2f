import { gather, reverseBytes } from '../torch/gather.ts';
import type { NpyHeader } from './header.ts';

/**
 * The elements row-major and little-endian.
 *
 *     fortran_order: element [i0, i1, ...] lies at i0 + i1 * shape[0] + i2 * shape[0] * shape[1] + ...
 *
 * @param stored the bytes after the header; the result is the same memory where they are like that already
 */
export function rowMajor(stored: Uint8Array, { type, shape, fortranOrder }: NpyHeader): Uint8Array {
  const moved = fortranOrder && shape.filter((size) => size > 1).length > 1;
  if (!moved && !type.bigEndian) return stored;
  const elements = moved ? gather(stored, type.width, shape, fortranStrides(shape)) : stored.slice();
  if (type.bigEndian) reverseBytes(elements, type.word);
  return elements;
}

function fortranStrides(shape: readonly number[]): number[] {
  let step = 1;
  return shape.map((size) => {
    const stride = step;
    step *= size;
    return stride;
  });
}
