import { DatasetError } from '../errors.ts';

/** A mask as COCO stores it: the lengths of runs, column by column from the left, of zeros and ones in turn, zeros first. */
export interface Rle {
  readonly height: number;
  readonly width: number;
  readonly counts: Uint32Array;
}

/** A mask in rows: [height, width], 0 or 1. */
export interface Mask {
  readonly height: number;
  readonly width: number;
  readonly data: Uint8Array;
}

/** Most pixels of a mask that is made here: it bounds the memory a file can ask for. */
const MAX_MASK_PIXELS = 2 ** 28;

/**
 * A mask in run lengths out of an annotation: `{ size: [height, width], counts }`, with the counts as a list or as COCO's compressed
 * text.
 *
 * @param place for messages
 * @throws DatasetError `mask` if it is of another form, or its runs do not add up to height x width
 */
export function parseRle(value: unknown, place: string): Rle {
  const { size, counts } = (value ?? {}) as { readonly size?: unknown; readonly counts?: unknown };
  const [height, width] = Array.isArray(size) && size.length === 2 ? (size as unknown[]) : [];
  checkSize(height, width, place);
  const [rows, columns] = [height as number, width as number];
  const lengths = typeof counts === 'string' ? decompress(counts, rows * columns, place) : listed(counts, place);
  return checkedRle(rows, columns, lengths, place);
}

/** @throws DatasetError `mask` unless the runs add up to the size */
function checkedRle(height: number, width: number, counts: Uint32Array, place: string): Rle {
  checkSize(height, width, place);
  let sum = 0;
  for (const count of counts) sum += count;
  if (sum !== height * width) {
    throw maskError(place, `runs of ${height * width} pixels, ${height} x ${width}`, `runs of ${sum}`);
  }
  return { height, width, counts };
}

/** @throws DatasetError `mask` */
export function checkSize(height: unknown, width: unknown, place: string): void {
  const good = [height, width].every((side) => Number.isSafeInteger(side) && (side as number) >= 1);
  if (good && (height as number) * (width as number) <= MAX_MASK_PIXELS) return;
  throw maskError(place, `a height and width of at most ${MAX_MASK_PIXELS} pixels in all`, `${height} x ${width}`);
}

function listed(counts: unknown, place: string): Uint32Array {
  const good =
    Array.isArray(counts) && counts.every((count) => Number.isInteger(count) && count >= 0 && count < 2 ** 32);
  if (!good) throw maskError(place, 'counts as a list of integers >= 0, or as text', describe(counts));
  return Uint32Array.from(counts as number[]);
}

function describe(value: unknown): string {
  return Array.isArray(value) ? 'a list of something else' : typeof value;
}

/**
 * Run lengths out of COCO's compressed text. Each is written in groups of five bits, lowest first, one to a character of the code
 * `48 + group`, to which 32 is added if another group follows; the highest bit of the last group is the sign. From the fourth on,
 * the difference to the run two before stands there instead.
 *
 * Source: the format of `maskApi` of the COCO API.
 *
 * @throws DatasetError `mask` for other text, or a run outside of 0 ... pixels
 */
function decompress(text: string, pixels: number, place: string): Uint32Array {
  const counts: number[] = [];
  for (let at = 0; at < text.length; ) {
    let [value, scale, group] = [0, 1, 0];
    do {
      group = text.charCodeAt(at++) - 48;
      // Also where the text ends within a run, which gives NaN. Seven groups hold more than any run.
      if (!(group >= 0 && group < 64) || scale > 2 ** 30) {
        throw maskError(place, 'counts in the compressed text of COCO', `other text at character ${at - 1}`);
      }
      value += (group & 31) * scale;
      scale *= 32;
    } while (group >= 32);
    if ((group & 16) !== 0) value -= scale;
    const count = counts.length > 2 ? value + (counts[counts.length - 2] as number) : value;
    if (!(count >= 0 && count <= pixels)) {
      throw maskError(place, `runs of 0 to ${pixels} pixels`, `one of ${count}`);
    }
    counts.push(count);
  }
  return Uint32Array.from(counts);
}

/** Run lengths as COCO's compressed text: what `parseRle` reads. */
export function compressRle({ counts }: Rle): string {
  let text = '';
  counts.forEach((count, i) => {
    let value = i > 2 ? count - (counts[i - 2] as number) : count;
    for (;;) {
      const group = ((value % 32) + 32) % 32;
      value = Math.floor(value / 32);
      // The rest is the sign alone, and the highest bit of this group says it already.
      const last = (group & 16) === 0 ? value === 0 : value === -1;
      text += String.fromCharCode(48 + group + (last ? 0 : 32));
      if (last) break;
    }
  });
  return text;
}

/** The mask in rows. */
export function decodeRle({ height, width, counts }: Rle): Mask {
  const data = new Uint8Array(height * width);
  let place = 0;
  counts.forEach((count, i) => {
    if (i % 2 === 1) {
      for (let p = place; p < place + count; p++) data[(p % height) * width + Math.floor(p / height)] = 1;
    }
    place += count;
  });
  return { height, width, data };
}

/**
 * The run lengths of a mask in rows; what is not 0 counts as 1.
 *
 * @throws DatasetError `mask` if its data are not height x width values
 */
export function encodeRle({ height, width, data }: Mask): Rle {
  checkSize(height, width, 'mask');
  if (data.length !== height * width) {
    throw maskError('mask', `${height * width} values, ${height} x ${width}`, `${data.length}`);
  }
  const counts: number[] = [];
  let [value, run] = [0, 0];
  for (let x = 0; x < width; x++) {
    for (let y = 0; y < height; y++) {
      const here = data[y * width + x] === 0 ? 0 : 1;
      if (here !== value) {
        counts.push(run);
        [value, run] = [here, 0];
      }
      run++;
    }
  }
  return { height, width, counts: Uint32Array.from([...counts, run]) };
}

/** Pixels of a mask. */
export function rleArea({ counts }: Rle): number {
  let area = 0;
  for (let i = 1; i < counts.length; i += 2) area += counts[i] as number;
  return area;
}

export function maskError(argument: string, expected: string, actual: string): DatasetError {
  return new DatasetError({ code: 'mask', argument, expected, actual });
}
