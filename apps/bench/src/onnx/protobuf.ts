import { OnnxWriteError } from './errors.ts';

// The encoding of protobuf messages, of which ONNX needs numbers, floats, text, bytes and messages in messages. These lines
// stand here, and not a library, since a file is mostly weights: no weight is copied before the file is joined.

/** A part of a message: pieces of bytes, in order. */
export interface Encoded {
  readonly pieces: readonly Uint8Array[];
  readonly length: number;
}

const VARINT = 0;
const LENGTH = 2;
const FIXED32 = 5;

/** A field with a whole number (`int64`, `int32`, an enumeration). */
export function intField(field: number, value: number | bigint): Encoded {
  if (typeof value === 'number' && !Number.isSafeInteger(value)) {
    throw new OnnxWriteError('InvalidGraph', `${value} is no whole number, as field ${field} of a message needs one.`);
  }
  return encoded([...varint(tag(field, VARINT)), ...varint(BigInt.asUintN(64, BigInt(value)))]);
}

/** A field with a number of 32 bit (`float`). */
export function floatField(field: number, value: number): Encoded {
  const number = new Uint8Array(4);
  new DataView(number.buffer).setFloat32(0, value, true);
  return encoded([...varint(tag(field, FIXED32)), ...number]);
}

/** A field with text (`string`) or bytes, which are not copied. */
export function bytesField(field: number, value: string | Uint8Array): Encoded {
  const bytes = typeof value === 'string' ? new TextEncoder().encode(value) : value;
  return messageField(field, [{ pieces: [bytes], length: bytes.length }]);
}

/** A field with a message of these fields. */
export function messageField(field: number, fields: readonly Encoded[]): Encoded {
  const content = message(fields);
  const head = Uint8Array.from([...varint(tag(field, LENGTH)), ...varint(BigInt(content.length))]);
  return { pieces: [head, ...content.pieces], length: head.length + content.length };
}

/** Fields one after the other. */
export function message(fields: readonly Encoded[]): Encoded {
  return {
    pieces: fields.flatMap(({ pieces }) => pieces),
    length: fields.reduce((total, { length }) => total + length, 0),
  };
}

/** The bytes of a whole message. @throws OnnxWriteError TooLarge */
export function toBytes({ pieces, length }: Encoded): Uint8Array<ArrayBuffer> {
  if (length >= 2 ** 31) {
    throw new OnnxWriteError('TooLarge', `${length} bytes; a protobuf file has less than ${2 ** 31}.`);
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

function encoded(bytes: readonly number[]): Encoded {
  return { pieces: [Uint8Array.from(bytes)], length: bytes.length };
}

function tag(field: number, wire: number): bigint {
  return BigInt(field * 8 + wire);
}

/** Groups of 7 bits, the lowest first; all but the last have the eighth bit. */
function varint(value: bigint): number[] {
  const bytes: number[] = [];
  let rest = value;
  do {
    bytes.push(Number(rest & 0x7fn) | (rest > 0x7fn ? 0x80 : 0));
    rest >>= 7n;
  } while (rest > 0n);
  return bytes;
}
