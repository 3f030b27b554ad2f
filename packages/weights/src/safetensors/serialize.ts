import type { StateTensor } from '../stateTensor.ts';
import { quote, SafetensorsError } from './errors.ts';
import { byteLengthOf, LENGTH_BYTES, MAX_HEADER_BYTES, MAX_RANK, METADATA_KEY } from './header.ts';
import { type Carrier, STORED_TYPE_BY_DTYPE, type StoredType } from './storedTypes.ts';

export type Named<T> = ReadonlyMap<string, T> | Readonly<Record<string, T>>;

/** A tensor as a header describes it, found valid. */
export interface Entry {
  readonly name: string;
  readonly type: StoredType & { readonly carrier: Carrier };
  readonly shape: readonly number[];
  readonly byteLength: number;
}

/** A tensor that was found valid, with its bytes as they are written. */
export interface Item extends Entry {
  readonly bytes: Uint8Array;
}

/**
 * Writes a safetensors file.
 *
 * The bytes depend on nothing but the arguments: tensors are ordered as the reference writer orders them (wider types
 * first, then by name in code point order), metadata keys stay in the order given, and the header is padded with spaces
 * to a multiple of 8 bytes, so that every tensor starts aligned to its element size. A file written by the reference
 * library comes out byte for byte as it was: `serializeSafetensors(file.toStateDict(), file.metadata)`.
 *
 * Data of float16 and bfloat16 tensors is rounded to nearest, ties to even; float8 values must be exact.
 *
 * @throws SafetensorsError InvalidTensorView if a tensor's data, dtype and shape disagree; InvalidArgument for a name or
 *   metadata value that the format cannot hold; HeaderTooLarge; ValidationOverflow if the file is too large for memory
 */
export function serializeSafetensors(tensors: Named<StateTensor>, metadata?: Named<string>): Uint8Array {
  const items = inWritingOrder(pairsOf(tensors, 'tensors').map(([name, tensor]) => checkedItem(name, tensor)));
  const head = headOf(items, metadata);
  const dataLength = items.reduce((sum, { byteLength }) => sum + byteLength, 0);
  const file = allocate(head.byteLength + dataLength);
  let position = 0;
  for (const bytes of [head, ...items.map((item) => item.bytes)]) {
    file.set(bytes, position);
    position += bytes.byteLength;
  }
  return file;
}

/** Wider types first, then by name: sorts `entries`, as the reference writer does. */
export function inWritingOrder<T extends Entry>(entries: T[]): T[] {
  return entries.sort((a, b) => b.type.rank - a.type.rank || compareCodePoints(a.name, b.name));
}

/**
 * What comes before the tensors in a file: the length of the header, and the header.
 *
 * @throws SafetensorsError InvalidArgument, HeaderTooLarge
 */
export function headOf(entries: readonly Entry[], metadata: Named<string> | undefined): Uint8Array {
  const members: string[] = [];
  const notes = metadata === undefined ? [] : pairsOf(metadata, 'metadata');
  if (notes.length > 0) {
    const parts = notes.map(([key, value]) => {
      checkText(key, 'metadata key');
      checkText(value, `metadata value of ${quote(key)}`);
      return `${JSON.stringify(key)}:${JSON.stringify(value)}`;
    });
    members.push(`"${METADATA_KEY}":{${parts.join(',')}}`);
  }
  let position = 0;
  for (const { name, type, shape, byteLength } of entries) {
    const end = position + byteLength;
    members.push(
      `${JSON.stringify(name)}:{"dtype":"${type.code}","shape":[${shape.join(',')}],"data_offsets":[${position},${end}]}`,
    );
    position = end;
  }
  const json = new TextEncoder().encode(`{${members.join(',')}}`);
  const padded = Math.ceil(json.byteLength / 8) * 8;
  if (padded > MAX_HEADER_BYTES) {
    throw new SafetensorsError(
      'HeaderTooLarge',
      `the header would take ${padded} bytes, readers accept at most ${MAX_HEADER_BYTES}. ` +
        'Shorten the metadata or split the tensors over several files.',
    );
  }
  const head = new Uint8Array(LENGTH_BYTES + padded).fill(0x20);
  new DataView(head.buffer).setBigUint64(0, BigInt(padded), true);
  head.set(json, LENGTH_BYTES);
  return head;
}

/** @throws SafetensorsError InvalidTensorView, InvalidArgument, ValidationOverflow */
export function checkedItem(name: string, tensor: StateTensor): Item {
  const entry = checkedEntry(name, tensor);
  const label = `tensor ${quote(name)}`;
  checkData(label, tensor, entry.type.carrier, (entry.byteLength * 8) / entry.type.bits);
  return { ...entry, bytes: encode(label, tensor, entry.type.carrier) };
}

/** @throws SafetensorsError InvalidTensorView, InvalidArgument, ValidationOverflow */
export function checkedEntry(name: string, tensor: Pick<StateTensor, 'dtype' | 'shape'>): Entry {
  checkText(name, 'tensor name');
  if (name === METADATA_KEY) {
    throw new SafetensorsError(
      'InvalidArgument',
      `a tensor cannot be named "${METADATA_KEY}": the format keeps that key for metadata. Rename the tensor.`,
    );
  }
  const label = `tensor ${quote(name)}`;
  const { dtype, shape } = tensor ?? {};
  const type = STORED_TYPE_BY_DTYPE.get(dtype);
  if (type?.carrier === undefined) {
    const known = [...STORED_TYPE_BY_DTYPE.values()].filter((t) => t.carrier).map((t) => t.dtype);
    throw invalidView(label, `dtype ${quote(String(dtype))}`, `one of ${known.join(', ')}`);
  }
  const goodShape =
    Array.isArray(shape) && shape.length <= MAX_RANK && shape.every((size) => Number.isSafeInteger(size) && size >= 0);
  if (!goodShape) {
    throw invalidView(label, `shape ${quote(String(shape))}`, `an array of at most ${MAX_RANK} non-negative integers`);
  }
  return { name, type: type as Entry['type'], shape, byteLength: byteLengthOf(type, shape, label) };
}

function checkData(label: string, { dtype, shape, data }: StateTensor, carrier: Carrier, length: number): void {
  // By name and not by instanceof, which fails for arrays from another realm.
  const arrayName = ArrayBuffer.isView(data) ? data[Symbol.toStringTag] : typeof data;
  if (arrayName !== carrier.arrayName) {
    throw invalidView(label, `data in a ${arrayName}`, `a ${carrier.arrayName} for dtype ${dtype}`);
  }
  if (data.length !== length) {
    throw invalidView(label, `${data.length} elements of data`, `${length} for shape [${shape.join(', ')}]`);
  }
  if (dtype === 'bool') {
    const bad = (data as Uint8Array).findIndex((value) => value > 1);
    if (bad >= 0) throw invalidView(label, `${String(data[bad])} at element ${bad}`, '0 or 1 for dtype bool');
  }
}

function encode(label: string, { data }: StateTensor, { codec }: Carrier): Uint8Array {
  if (codec === undefined) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  try {
    return codec.encode(data as Float32Array);
  } catch (error) {
    if (!(error instanceof SafetensorsError)) throw error;
    throw new SafetensorsError(error.code, `${label}: ${error.message}`, { cause: error });
  }
}

function invalidView(label: string, actual: string, expected: string): SafetensorsError {
  return new SafetensorsError('InvalidTensorView', `${label} has ${actual}; expected ${expected}.`);
}

function checkText(text: unknown, what: string): void {
  if (typeof text !== 'string') {
    throw new SafetensorsError(
      'InvalidArgument',
      `${what} must be a string, got ${typeof text}. Convert it first, for example with String() or JSON.stringify().`,
    );
  }
  if (/\p{Surrogate}/u.test(text)) {
    throw new SafetensorsError(
      'InvalidArgument',
      `${what} ${quote(text)} contains half of a surrogate pair, which UTF-8 cannot express. Remove that character.`,
    );
  }
}

/** The entries of a Map or a plain object. @throws SafetensorsError InvalidArgument */
export function pairsOf<T>(named: Named<T>, what: string): [string, T][] {
  if (typeof named !== 'object' || named === null) {
    throw new SafetensorsError('InvalidArgument', `${what} must be a Map or a plain object, got ${typeof named}.`);
  }
  return Symbol.iterator in named ? [...(named as ReadonlyMap<string, T>)] : Object.entries(named);
}

/** The order of UTF-8 bytes. JavaScript's own string order differs beyond U+FFFF, where it compares UTF-16 units. */
function compareCodePoints(a: string, b: string): number {
  for (let i = 0; i < a.length && i < b.length; i++) {
    if (a[i] !== b[i]) {
      // At a difference inside a surrogate pair both strings share the first half, so the halves compare rightly;
      // elsewhere whole code points are compared.
      return (a.codePointAt(i) ?? 0) - (b.codePointAt(i) ?? 0);
    }
  }
  return a.length - b.length;
}

function allocate(length: number): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(length);
  } catch (cause) {
    throw new SafetensorsError(
      'ValidationOverflow',
      `the file would take ${length} bytes, more than one buffer can hold here. Split the tensors over several files.`,
      { cause },
    );
  }
}
