import { annotationError } from '../annotations/text.ts';
import { inflate } from '../files/inflate.ts';
import { type MatElement, MatElements, MI } from './elements.ts';

/** A value in a field: text, numbers (column by column), or undefined for what is not read here (cells, structs, ...). */
export type MatValue = string | readonly number[] | undefined;

/** One struct of an array of structs. */
export type MatStruct = ReadonlyMap<string, MatValue>;

/** Options of {@link readMatStructs}. */
export interface MatOptions {
  /** name of the file, for messages */
  readonly source: string;
  /** most bytes of a compressed variable when unpacked; default 64 MiB */
  readonly maxBytes?: number;
  readonly signal?: AbortSignal | undefined;
}

const HEADER_BYTES = 128;

/** Classes of arrays (MAT-File Format, table 1-3). */
const STRUCT = 2;
const CHAR = 4;
const NUMERIC = [6, 7, 8, 9, 10, 11, 12, 13];

/**
 * An array of structs out of a MATLAB file, version 5 (also compressed ones, "version 7"): all that a devkit's `meta.mat` needs.
 *
 * @param variable name of the array, such as `synsets`
 * @returns the structs in MATLAB's order
 * @throws DatasetError `annotation` for any other file, a damaged one, or one without that array
 */
export async function readMatStructs(bytes: Uint8Array, variable: string, options: MatOptions): Promise<MatStruct[]> {
  const { source, maxBytes = 64 * 2 ** 20, signal } = options;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const littleEndian = endianness(view, source);
  const content = new DataView(bytes.buffer, bytes.byteOffset + HEADER_BYTES, bytes.byteLength - HEADER_BYTES);
  const elements = new MatElements(content, littleEndian, source);
  while (!elements.done) {
    const outer = elements.next('a variable', MI.matrix, MI.compressed);
    let matrix = outer;
    if (outer.type === MI.compressed) {
      const packed = new Uint8Array(outer.data.buffer, outer.data.byteOffset, outer.data.byteLength);
      const plain = await inflate(packed, 'deflate', { source, maxBytes, signal });
      matrix = new MatElements(new DataView(plain.buffer), littleEndian, source).next('a variable', MI.matrix);
    }
    const structs = readStructs(elements.inside(matrix), variable);
    if (structs !== undefined) return structs;
  }
  throw annotationError(source, `a variable ${variable}, an array of structs`, 'none of this name');
}

function endianness(view: DataView, source: string): boolean {
  const mark = view.byteLength < HEADER_BYTES ? 0 : view.getUint16(126, true);
  const littleEndian = mark === 0x4d49;
  const version = view.byteLength < HEADER_BYTES ? 0 : view.getUint16(124, littleEndian);
  if ((littleEndian || mark === 0x494d) && version === 0x0100) return littleEndian;
  throw annotationError(source, 'a MATLAB file of version 5', `${view.byteLength} bytes with another header`);
}

/** What every array begins with. */
function readHeader(parts: MatElements): { kind: number; count: number; name: string } {
  const flags = parts.numbers(parts.next('the flags of an array', MI.uint32), 'the flags of an array');
  const sizes = parts.numbers(parts.next('the size of an array', MI.int32), 'the size of an array');
  const name = textOf(parts, parts.next('the name of an array', MI.int8));
  const count = sizes.reduce((product, size) => product * size, 1);
  if (sizes.some((size) => size < 0) || !Number.isSafeInteger(count)) {
    throw parts.wrong('the size of an array', 'sizes of at least 0', sizes.join(' x '));
  }
  return { kind: (flags[0] ?? 0) & 0xff, count, name };
}

/** The structs of a variable; undefined for one of another name or class. */
function readStructs(parts: MatElements, variable: string): MatStruct[] | undefined {
  const { kind, count, name } = readHeader(parts);
  if (kind !== STRUCT || name !== variable) return undefined;
  const [width = 0] = parts.numbers(parts.next('the length of field names', MI.int32), 'the length of field names');
  const names = textOf(parts, parts.next('field names', MI.int8, MI.uint8));
  if (width < 1 || names.length % width !== 0) {
    throw parts.wrong('field names', `names of ${width} characters each`, `${names.length} characters`);
  }
  const fields = Array.from({ length: names.length / width }, (_, i) =>
    names.slice(i * width, (i + 1) * width).replace(/\0.*$/s, ''),
  );
  // A struct without fields would take no bytes, and the file could promise any number of them.
  if (fields.length === 0) throw parts.wrong('field names', 'at least one field', 'none');
  const structs: MatStruct[] = [];
  for (let i = 0; i < count; i++) {
    structs.push(new Map(fields.map((field) => [field, readValue(parts, `${variable}(${i + 1}).${field}`)])));
  }
  return structs;
}

function readValue(parts: MatElements, what: string): MatValue {
  const matrix = parts.next(what, MI.matrix);
  if (matrix.data.byteLength === 0) return [];
  const inner = parts.inside(matrix);
  const { kind, count } = readHeader(inner);
  if (kind !== CHAR && !NUMERIC.includes(kind)) return undefined;
  if (inner.done) return kind === CHAR ? '' : [];
  const content = inner.next(what);
  if (kind === CHAR) return textOf(inner, content);
  const numbers = inner.numbers(content, what);
  if (numbers.length !== count) throw inner.wrong(what, `${count} numbers`, `${numbers.length}`);
  return numbers;
}

function textOf(parts: MatElements, element: MatElement): string {
  if (element.type === MI.utf8) return new TextDecoder().decode(element.data);
  let text = '';
  for (const code of parts.numbers(element, 'text')) text += String.fromCharCode(code & 0xffff);
  return text;
}
