import { DatasetError } from './errors.ts';

/** The contents of an IDX file of unsigned bytes. */
export interface IdxArray {
  /** Sizes of the dimensions, outermost first; the last one runs fastest in `data`. */
  readonly shape: readonly number[];
  /** A view of the bytes that were given: no copy is made. */
  readonly data: Uint8Array;
}

export interface ReadIdxOptions {
  /** Number of dimensions that the file must have: 3 for MNIST images, 1 for labels. Default: any, 1 to 4. */
  readonly rank?: number;
  /** Name of the file, for error messages. Default `bytes`. */
  readonly source?: string;
}

const UNSIGNED_BYTE = 0x08;
const MAX_RANK = 4;

/**
 * Reads the IDX format in which MNIST and its relatives come: two zero bytes, the element type, the number of
 * dimensions, one big-endian 32-bit size per dimension, then the elements.
 *
 * The file is not trusted: nothing is allocated, every size is checked against the length of the file, and the data
 * must end where the file ends. Only unsigned bytes (type 0x08) are read.
 *
 * @throws {DatasetError} `idx-magic`, `idx-dimensions`, `idx-truncated` or `idx-trailing`
 */
export function readIdx(bytes: Uint8Array, { rank, source = 'bytes' }: ReadIdxOptions = {}): IdxArray {
  const wrong = (
    code: 'idx-magic' | 'idx-dimensions' | 'idx-truncated' | 'idx-trailing',
    expected: string,
    actual: string,
    hint?: string,
  ) => new DatasetError({ code, argument: source, expected, actual, ...(hint ? { hint } : {}) });

  if (bytes.length < 4) throw wrong('idx-truncated', 'an IDX header of at least 4 bytes', `${bytes.length} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const magic = view.getUint32(0);
  const fileRank = magic & 0xff;
  if (magic >>> 8 !== UNSIGNED_BYTE || fileRank < 1 || fileRank > MAX_RANK || (rank ?? fileRank) !== fileRank) {
    const dimensions = rank === undefined ? `1 to ${MAX_RANK} dimensions` : `${rank} dimension${rank === 1 ? '' : 's'}`;
    throw wrong(
      'idx-magic',
      `an IDX file of unsigned bytes with ${dimensions}`,
      `a file that begins with 0x${magic.toString(16).padStart(8, '0')}`,
      magic >>> 16 === 0x1f8b ? 'This is gzip: unpack it first.' : undefined,
    );
  }

  const start = 4 + 4 * fileRank;
  if (bytes.length < start) throw wrong('idx-truncated', `a header of ${start} bytes`, `${bytes.length} bytes`);
  const shape = Array.from({ length: fileRank }, (_, dimension) => view.getUint32(4 + 4 * dimension));
  const expected = `${shape.join(' x ')} elements after a header of ${start} bytes`;
  // Multiplied in this order the product stays far below 2^53: it is dropped as soon as it exceeds the file.
  const available = bytes.length - start;
  let count = 1;
  for (const size of shape) {
    if (size === 0) throw wrong('idx-dimensions', 'sizes of at least 1', shape.join(' x '));
    if (size > available)
      throw wrong('idx-dimensions', `sizes that a file of ${bytes.length} bytes can hold`, shape.join(' x '));
    count *= size;
    if (count > available) throw wrong('idx-truncated', expected, `${available} elements`, 'Fetch the file again.');
  }
  if (count < available)
    throw wrong('idx-trailing', expected, `${available - count} bytes more`, 'Fetch the file again.');
  return { shape, data: bytes.subarray(start) };
}
