import { DecodeError } from '../../errors.ts';
import { type PngHeader, SAMPLES } from './header.ts';

/** A pass over an image: the pixels `(left + i * across, top + j * down)`, `width` by `height` of them. */
export interface Pass {
  readonly left: number;
  readonly top: number;
  readonly across: number;
  readonly down: number;
  readonly width: number;
  readonly height: number;
  /** Bytes of a row of samples. */
  readonly rowBytes: number;
}

/** Adam7: left, top, across, down. */
const ADAM7 = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;

/** The passes in which the samples of an image come: one, or seven if it is interlaced, without the empty ones. */
export function passesOf({ width, height, depth, colour, interlaced }: PngHeader): Pass[] {
  const bits = depth * SAMPLES[colour];
  return (interlaced ? ADAM7 : ([[0, 0, 1, 1]] as const))
    .map(([left, top, across, down]) => {
      const columns = Math.ceil((width - left) / across);
      return {
        left,
        top,
        across,
        down,
        width: columns,
        height: Math.ceil((height - top) / down),
        rowBytes: Math.ceil((columns * bits) / 8),
      };
    })
    .filter((pass) => pass.width > 0 && pass.height > 0);
}

/** Bytes that all passes decompress to: each row has its filter in front. */
export function bytesOf(passes: readonly Pass[]): number {
  return passes.reduce((sum, { height, rowBytes }) => sum + height * (1 + rowBytes), 0);
}

/**
 * The rows of a pass, with the prediction undone in place. Each is yielded as a view, together with its number.
 *
 * @param start position of the pass in `bytes`
 * @param step bytes of a whole pixel, at least 1
 * @throws DecodeError Corrupt
 */
export function* unfilteredRows(
  bytes: Uint8Array,
  start: number,
  { height, rowBytes }: Pass,
  step: number,
): Generator<readonly [row: Uint8Array, y: number]> {
  let above: Uint8Array = new Uint8Array(rowBytes);
  for (let y = 0; y < height; y++) {
    const at = start + y * (1 + rowBytes);
    const row = bytes.subarray(at + 1, at + 1 + rowBytes);
    unfilter(bytes[at]!, row, above, step);
    yield [row, y];
    above = row;
  }
}

function unfilter(filter: number, row: Uint8Array, above: Uint8Array, step: number): void {
  const { length } = row;
  switch (filter) {
    case 0:
      return;
    case 1:
      for (let i = step; i < length; i++) row[i]! += row[i - step]!;
      return;
    case 2:
      for (let i = 0; i < length; i++) row[i]! += above[i]!;
      return;
    case 3:
      for (let i = 0; i < length; i++) row[i]! += ((i < step ? 0 : row[i - step]!) + above[i]!) >> 1;
      return;
    case 4:
      for (let i = 0; i < length; i++) {
        row[i]! += i < step ? above[i]! : paeth(row[i - step]!, above[i]!, above[i - step]!);
      }
      return;
    default:
      throw new DecodeError('Corrupt', `the PNG file is damaged: a row has the filter ${filter}.`);
  }
}

function paeth(left: number, up: number, corner: number): number {
  const p = left + up - corner;
  const a = Math.abs(p - left);
  const b = Math.abs(p - up);
  const c = Math.abs(p - corner);
  if (a <= b && a <= c) return left;
  return b <= c ? up : corner;
}
