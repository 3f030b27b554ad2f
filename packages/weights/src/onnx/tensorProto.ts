import { MAX_RANK } from '../safetensors/header.ts';
import { elementCount } from '../shape.ts';
import type { Reading } from '../source/reading.ts';
import { quote } from '../weightsError.ts';
import { OnnxFileError } from './errors.ts';
import { type DataField, ONNX_TYPES, type OnnxType } from './onnxTypes.ts';
import { readProperty, readText } from './text.ts';
import { BYTES, type Field, readField, VARINT } from './wire.ts';

/** Where the elements of a tensor lie. */
export type Place =
  | { readonly kind: 'raw_data' | DataField; readonly start: number; readonly end: number }
  | {
      readonly kind: 'external';
      readonly location: string;
      readonly offset: number;
      readonly length: number | undefined;
    }
  | { readonly kind: 'none' };

/** An initialiser that can be read. */
export interface OnnxTensor {
  readonly name: string;
  readonly type: OnnxType;
  readonly shape: readonly number[];
  readonly byteLength: number;
  readonly place: Place;
}

/** An initialiser that is not read, and why. */
export interface IgnoredTensor {
  readonly name: string;
  readonly ignored: string;
}

const DATA_FIELDS: ReadonlyMap<number, DataField | 'raw_data'> = new Map([
  [4, 'float_data'],
  [5, 'int32_data'],
  [7, 'int64_data'],
  [9, 'raw_data'],
  [10, 'double_data'],
  [11, 'uint64_data'],
] satisfies [number, DataField | 'raw_data'][]);

interface Found {
  name: string;
  dims: number[];
  dataType: number;
  external: boolean;
  readonly properties: Map<string, string>;
  data: Place | undefined;
}

/**
 * Reads a TensorProto, all but its elements.
 *
 * @throws OnnxFileError InvalidProtobuf, InvalidModel
 */
export function* readTensorProto(start: number, end: number): Reading<OnnxTensor | IgnoredTensor> {
  const found: Found = { name: '', dims: [], dataType: 0, external: false, properties: new Map(), data: undefined };
  let field: Field;
  for (let at = start; at < end; at = field.end) {
    field = yield* readField(at, end);
    const kind = DATA_FIELDS.get(field.number);
    if (kind !== undefined) keepData(found, kind, field);
    else if (field.number === 1) yield* readDims(found.dims, field);
    else if (field.number === 2) found.dataType = expectNumber(field, 'data_type');
    else if (field.number === 3) throw new OnnxFileError('InvalidModel', 'an initialiser is one segment of a tensor.');
    else if (field.number === 8) found.name = yield* readText(field, 'the name of an initialiser');
    else if (field.number === 13) yield* readProperty(field, found.properties);
    else if (field.number === 14) found.external = expectNumber(field, 'data_location') === 1;
  }
  return checked(found);
}

function keepData(found: Found, kind: DataField | 'raw_data', { wire, start, end }: Field): void {
  // Each number by itself, or a list in several parts, is allowed by the encoding and written by nobody.
  if (wire !== BYTES || found.data !== undefined) {
    throw new OnnxFileError('InvalidModel', `the elements of ${quote(found.name)} are written in several parts.`);
  }
  found.data = { kind, start, end };
}

function* readDims(dims: number[], field: Field): Reading<void> {
  if (field.wire === VARINT) addSize(dims, field.value);
  else if (field.wire === BYTES) {
    // A packed list has the numbers without their tags: each is read as if it had one.
    const packed = yield [field.start, Math.min(field.end, field.start + 10 * MAX_RANK)];
    if (packed.byteLength < field.end - field.start) addSize(dims, Number.NaN);
    let value = 0;
    let scale = 1;
    for (const byte of packed) {
      value += (byte & 0x7f) * scale;
      scale *= 128;
      if (byte >= 0x80) continue;
      addSize(dims, value);
      [value, scale] = [0, 1];
    }
    if (scale !== 1) addSize(dims, Number.NaN);
  } else addSize(dims, Number.NaN);
}

function addSize(dims: number[], size: number): void {
  dims.push(size);
  if (!Number.isSafeInteger(size) || dims.length > MAX_RANK) {
    throw new OnnxFileError(
      'InvalidModel',
      `the shape of an initialiser is [${dims.join(', ')}]; expected at most ${MAX_RANK} sizes from 0 to 2^53 - 1.`,
    );
  }
}

function expectNumber(field: Field, what: string): number {
  if (field.wire === VARINT) return field.value;
  throw new OnnxFileError('InvalidModel', `${what} of an initialiser is no number.`);
}

function checked(found: Found): OnnxTensor | IgnoredTensor {
  const { name, dims, dataType } = found;
  const type = ONNX_TYPES.get(dataType);
  if (type === undefined) {
    const what = dataType === 8 ? 'holds text' : `has the element type ${dataType}, which is not known`;
    return { name, ignored: `${quote(name)} ${what}. Its numbers, if it has any, cannot be read.` };
  }
  const count = elementCount(dims);
  const byteLength = count === undefined ? Number.NaN : Math.ceil((count * type.bits) / 8);
  if (!Number.isSafeInteger(byteLength)) {
    throw new OnnxFileError('InvalidModel', `${quote(name)} of shape [${dims.join(', ')}] takes more than 2^53 bytes.`);
  }
  const place = found.external ? externalPlace(found) : (found.data ?? { kind: 'none' });
  const tensor = { name, type, shape: Object.freeze(dims), byteLength, place };
  checkLength(tensor);
  return tensor;
}

/** Properties of external data: the file, where in it they begin (default 0), and their bytes (default: to its end). */
function externalPlace({ name, properties, data }: Found): Place {
  const location = properties.get('location');
  const [offset, length] = ['offset', 'length'].map((key) => {
    const text = properties.get(key);
    if (text === undefined) return undefined;
    const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
    if (Number.isSafeInteger(value)) return value;
    throw new OnnxFileError('InvalidModel', `the ${key} of the external data of ${quote(name)} is ${quote(text)}.`);
  });
  if (location === undefined || data !== undefined) {
    const fault = location === undefined ? 'without saying where' : 'and has elements of its own';
    throw new OnnxFileError('InvalidModel', `${quote(name)} lies in another file ${fault}.`);
  }
  return { kind: 'external', location, offset: offset ?? 0, length };
}

/** What can be said of the number of bytes before they are read. @throws OnnxFileError InvalidModel */
function checkLength({ name, type, shape, byteLength, place }: OnnxTensor): void {
  const described = `${quote(name)} of ${type.dtype} and shape [${shape.join(', ')}]`;
  const stored =
    place.kind === 'external' ? (place.length ?? byteLength) : place.kind === 'none' ? 0 : place.end - place.start;
  if (place.kind === 'raw_data' || place.kind === 'external' || place.kind === 'none') {
    if (stored === byteLength) return;
    throw new OnnxFileError(
      'InvalidModel',
      `${described} takes ${byteLength} bytes; it has ${stored} as ${place.kind}.`,
    );
  }
  if (place.kind !== type.field) {
    throw new OnnxFileError('InvalidModel', `${described} has its elements in ${place.kind}; expected ${type.field}.`);
  }
  const exact = place.kind === 'float_data' || place.kind === 'double_data';
  const numbers = numbersIn(type, byteLength);
  // A number takes 1 to 10 bytes.
  if (exact ? stored === byteLength : stored >= numbers && stored <= 10 * numbers) return;
  throw new OnnxFileError(
    'InvalidModel',
    `${described} does not have its elements in ${stored} bytes of ${place.kind}.`,
  );
}

/** How many varints hold a tensor: one an element, one a byte for types that are packed. */
export function numbersIn({ bits }: OnnxType, byteLength: number): number {
  return byteLength / Math.max(1, bits / 8);
}
