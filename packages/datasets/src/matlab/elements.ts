import { annotationError } from '../annotations/text.ts';

/** One data element of a MATLAB file: its type and a view of its bytes. */
export interface MatElement {
  readonly type: number;
  readonly data: DataView;
}

/** Types of data elements (MAT-File Format, table 1-1). */
export const MI = {
  int8: 1,
  uint8: 2,
  int16: 3,
  uint16: 4,
  int32: 5,
  uint32: 6,
  single: 7,
  double: 9,
  int64: 12,
  uint64: 13,
  matrix: 14,
  compressed: 15,
  utf8: 16,
  utf16: 17,
} as const;

/** Walks through the data elements of a MATLAB file, version 5. Nothing is copied, and no size is believed. */
export class MatElements {
  readonly #data: DataView;
  readonly #littleEndian: boolean;
  readonly #source: string;
  #at = 0;

  constructor(data: DataView, littleEndian: boolean, source: string) {
    this.#data = data;
    this.#littleEndian = littleEndian;
    this.#source = source;
  }

  get done(): boolean {
    return this.#at >= this.#data.byteLength;
  }

  /** @throws DatasetError `annotation` where the file ends, or for a type other than `types` */
  next(what: string, ...types: readonly number[]): MatElement {
    const word = this.#word(what);
    // A tag with its size in the upper half of the first word holds up to four bytes in the second.
    const small = word >>> 16;
    const type = small === 0 ? word : word & 0xffff;
    const size = small === 0 ? this.#word(what) : small;
    const start = this.#at;
    if (size > this.#data.byteLength - start || (small > 0 && small > 4)) {
      throw this.wrong(what, `at most ${this.#data.byteLength - start} bytes`, `${size} bytes`);
    }
    if (types.length > 0 && !types.includes(type)) throw this.wrong(what, `type ${types.join(' or ')}`, `type ${type}`);
    const padded = type === MI.compressed ? size : small > 0 ? 4 : Math.ceil(size / 8) * 8;
    this.#at = start + padded;
    return { type, data: this.#view(start, size) };
  }

  /** The elements inside of one that holds others. */
  inside(element: MatElement): MatElements {
    return new MatElements(element.data, this.#littleEndian, this.#source);
  }

  /** The numbers of an element, whatever type they are stored in: MATLAB saves doubles that are small integers as bytes. */
  numbers({ type, data }: MatElement, what: string): number[] {
    const read = this.#readers(data)[type];
    if (read === undefined || data.byteLength % read.bytes !== 0) {
      throw this.wrong(what, 'numbers', `type ${type} in ${data.byteLength} bytes`);
    }
    return Array.from({ length: data.byteLength / read.bytes }, (_, i) => read.at(i * read.bytes));
  }

  wrong(what: string, expected: string, actual: string): Error {
    return annotationError(`${this.#source}, ${what}`, expected, actual, {
      hint: 'Give the meta.mat of the devkit as it was unpacked (MATLAB 5; files saved with -v7.3 are HDF5).',
    });
  }

  #word(what: string): number {
    if (this.#at + 4 > this.#data.byteLength) throw this.wrong(what, 'a data element', 'the end of the file');
    const word = this.#data.getUint32(this.#at, this.#littleEndian);
    this.#at += 4;
    return word;
  }

  #view(start: number, size: number): DataView {
    return new DataView(this.#data.buffer, this.#data.byteOffset + start, size);
  }

  #readers(data: DataView): Readonly<Record<number, { bytes: number; at(offset: number): number }>> {
    const little = this.#littleEndian;
    return {
      [MI.int8]: { bytes: 1, at: (i) => data.getInt8(i) },
      [MI.uint8]: { bytes: 1, at: (i) => data.getUint8(i) },
      [MI.utf8]: { bytes: 1, at: (i) => data.getUint8(i) },
      [MI.int16]: { bytes: 2, at: (i) => data.getInt16(i, little) },
      [MI.uint16]: { bytes: 2, at: (i) => data.getUint16(i, little) },
      [MI.utf16]: { bytes: 2, at: (i) => data.getUint16(i, little) },
      [MI.int32]: { bytes: 4, at: (i) => data.getInt32(i, little) },
      [MI.uint32]: { bytes: 4, at: (i) => data.getUint32(i, little) },
      [MI.single]: { bytes: 4, at: (i) => data.getFloat32(i, little) },
      [MI.double]: { bytes: 8, at: (i) => data.getFloat64(i, little) },
    };
  }
}
