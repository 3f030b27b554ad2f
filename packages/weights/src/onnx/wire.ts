import type { Reading } from '../source/reading.ts';
import { OnnxFileError } from './errors.ts';

/** How a field is encoded. 3 and 4, groups, were given up before ONNX existed. */
export const VARINT = 0;
export const BYTES = 2;
/** Bytes of the encodings of fixed length. */
const FIXED_BYTES: ReadonlyMap<number, number> = new Map([
  [1, 8],
  [5, 4],
]);

/** One field of a message: its number, and where its value lies. */
export interface Field {
  readonly number: number;
  readonly wire: number;
  /** The number itself, for wire type {@link VARINT}. Above 2^53 it is rounded. */
  readonly value: number;
  /** First byte of the value. */
  readonly start: number;
  /** First byte after the value: of the next field. */
  readonly end: number;
}

/** A tag of at most 5 bytes and a number of at most 10. */
const HEAD_BYTES = 15;
const MAX_FIELD_NUMBER = 2 ** 29 - 1;

/**
 * Reads one field of a protobuf message that ends at `limit`. Of what may be long, only the length is read.
 *
 * @throws OnnxFileError InvalidProtobuf
 */
export function* readField(at: number, limit: number): Reading<Field> {
  const head = yield [at, Math.min(at + HEAD_BYTES, limit)];
  const tag = readVarint(head, 0, at);
  const number = Math.floor(tag.value / 8);
  const wire = tag.value % 8;
  if (number === 0 || number > MAX_FIELD_NUMBER) throw invalid(at, `a field has the number ${number}`);
  let start = at + tag.length;
  let length = FIXED_BYTES.get(wire);
  let value = 0;
  if (wire === VARINT) ({ value, length } = readVarint(head, tag.length, at));
  else if (wire === BYTES) {
    const prefix = readVarint(head, tag.length, at);
    start += prefix.length;
    length = prefix.value;
  }
  if (length === undefined) throw invalid(at, `a field is encoded in the unknown way ${wire}`);
  if (length > limit - start) throw invalid(at, `a field of ${length} bytes ends outside of its message`);
  return { number, wire, value, start, end: start + length };
}

/** A number in groups of 7 bits, the lowest first, at most 10 groups. */
function readVarint(bytes: Uint8Array, from: number, position: number): { value: number; length: number } {
  let value = 0;
  for (let i = 0; i < 10; i++) {
    const byte = bytes[from + i];
    if (byte === undefined) throw invalid(position, 'it ends within a number');
    if (i === 9 && byte > 1) break;
    value += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) return { value, length: i + 1 };
  }
  throw invalid(position, 'a number has more than 64 bits');
}

function invalid(at: number, fault: string): OnnxFileError {
  return new OnnxFileError(
    'InvalidProtobuf',
    `${fault} (near byte ${at}). The file is damaged, cut short or no ONNX model; download or export it again.`,
  );
}
