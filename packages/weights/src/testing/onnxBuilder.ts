import { joined } from './zipBuilder.ts';

/** A number in groups of 7 bits. */
export function varint(value: number | bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  do {
    bytes.push(Number(rest & 0x7fn) | (rest > 0x7fn ? 0x80 : 0));
    rest >>= 7n;
  } while (rest > 0n);
  return Uint8Array.from(bytes);
}

/** A field of a message: a number, or bytes, text or messages with their length in front. */
export function field(number: number, value: number | bigint | string | Uint8Array): Uint8Array {
  if (typeof value === 'number' || typeof value === 'bigint') return joined(varint(number * 8), varint(value));
  const bytes = typeof value === 'string' ? new TextEncoder().encode(value) : value;
  return joined(varint(number * 8 + 2), varint(bytes.length), bytes);
}

/** A TensorProto: its name, type and shape, and further fields. */
export const tensorProto = (name: string, type: number, dims: number[], ...more: Uint8Array[]): Uint8Array =>
  joined(...dims.map((size) => field(1, size)), field(2, type), field(8, name), ...more);

/** A model of these initialisers. */
export const onnxOf = (...initializers: Uint8Array[]): Uint8Array<ArrayBuffer> =>
  joined(field(1, 10), field(7, joined(...initializers.map((tensor) => field(5, tensor)))));

/** The properties of external data. */
export const external = (properties: Readonly<Record<string, string>>): Uint8Array =>
  joined(
    field(14, 1),
    ...Object.entries(properties).map(([key, value]) => field(13, joined(field(1, key), field(2, value)))),
  );
