import { annotationError } from '../annotations/text.ts';

/** An element of one of the arrays that were asked for. */
export interface ArrayElement {
  /** the key of the array */
  readonly key: string;
  /** its place in the array, from 0 */
  readonly index: number;
  readonly value: unknown;
  /** where its text begins and ends in the file, in bytes */
  readonly start: number;
  readonly end: number;
}

/** Options of {@link readJsonArrays}. */
export interface JsonArraysOptions {
  /** the arrays that are read; everything else is passed over */
  readonly keys: readonly string[];
  /** for messages: the name of the file */
  readonly source: string;
  /** longer elements are refused; default 64 MiB */
  readonly maxElementBytes?: number | undefined;
}

/**
 * The elements of arrays in a large JSON file `{ "images": [...], "annotations": [...], ... }`, one after the other, in any order of
 * the keys. Only the text of one element is kept, so files may be of any size.
 *
 * The text between elements is checked, and each element by `JSON.parse`; of values that are passed over, only strings and brackets
 * are followed.
 *
 * @throws DatasetError `annotation` for text that is not JSON of this form, with its place
 */
export async function* readJsonArrays(
  chunks: AsyncIterable<Uint8Array>,
  options: JsonArraysOptions,
): AsyncGenerator<ArrayElement, void, undefined> {
  const scanner = new Scanner(options);
  for await (const chunk of chunks) yield* scanner.push(chunk);
  scanner.end();
}

/** What comes next. */
type Expected =
  | 'the object'
  | 'a key or the end'
  | 'a key'
  | 'a colon'
  | 'a value'
  | 'an element or the end'
  | 'an element'
  | 'a comma or the end of the array'
  | 'a comma or the end of the object'
  | 'nothing more';

class Scanner {
  readonly #keys: ReadonlySet<string>;
  readonly #source: string;
  readonly #longest: number;
  readonly #value: ValueScanner;
  #expected: Expected = 'the object';
  /** what the value under way is: kept text, or passed over */
  #reading: 'key' | 'element' | 'other' | undefined;
  #key = '';
  #index = 0;
  #start = 0;
  /** bytes before the current chunk */
  #before = 0;
  #parts: Uint8Array[] = [];
  #kept = 0;

  constructor({ keys, source, maxElementBytes = 64 * 2 ** 20 }: JsonArraysOptions) {
    this.#keys = new Set(keys);
    this.#source = source;
    this.#longest = maxElementBytes;
    this.#value = new ValueScanner();
  }

  *push(chunk: Uint8Array): Generator<ArrayElement, void, undefined> {
    for (let at = 0; at < chunk.byteLength; ) {
      if (this.#reading === undefined) {
        const byte = chunk[at] as number;
        const blank = byte <= 0x20 && (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09);
        // A byte order mark is no JSON, but some editors write one.
        const mark = this.#before + at < 3 && byte === [0xef, 0xbb, 0xbf][this.#before + at];
        if (blank || mark || !this.#begin(byte, this.#before + at)) {
          at++;
          continue;
        }
      }
      const end = this.#value.scan(chunk, at);
      if (this.#reading !== 'other') this.#keep(chunk.subarray(at, end));
      at = end;
      if (this.#value.complete) yield* this.#finish(this.#before + end);
    }
    this.#before += chunk.byteLength;
  }

  end(): void {
    if (this.#expected !== 'nothing more') throw this.#wrong('more: the file was cut short', this.#before);
  }

  /** Takes a byte between values. @returns whether a value begins with it */
  #begin(byte: number, place: number): boolean {
    const expected = this.#expected;
    const quote = byte === 0x22;
    if (quote && (expected === 'a key' || expected === 'a key or the end')) return this.#open('key', place);
    if (expected === 'a value' && !END_OR_COLON.has(byte)) {
      if (!this.#keys.has(this.#key)) return this.#open('other', place);
      if (byte !== 0x5b) throw this.#wrong(`an array of ${this.#key}`, place);
      this.#index = 0;
      this.#expected = 'an element or the end';
      return false;
    }
    if ((expected === 'an element' || expected === 'an element or the end') && !END_OR_COLON.has(byte)) {
      return this.#open('element', place);
    }
    const next = STEPS[expected]?.[String.fromCharCode(byte)];
    if (next === undefined) throw this.#wrong(expected, place);
    this.#expected = next;
    return false;
  }

  #open(reading: 'key' | 'element' | 'other', place: number): true {
    this.#reading = reading;
    this.#start = place;
    this.#value.begin();
    return true;
  }

  #keep(bytes: Uint8Array): void {
    this.#kept += bytes.byteLength;
    if (this.#kept > this.#longest)
      throw this.#wrong(`a ${this.#reading} of at most ${this.#longest} bytes`, this.#start);
    // Most lie in one chunk, which is looked at before it changes.
    this.#parts.push(this.#value.complete ? bytes : bytes.slice());
  }

  *#finish(end: number): Generator<ArrayElement, void, undefined> {
    const reading = this.#reading;
    this.#reading = undefined;
    if (reading === 'other') {
      this.#expected = 'a comma or the end of the object';
      return;
    }
    const value = this.#parse();
    if (reading === 'key') {
      this.#key = value as string;
      this.#expected = 'a colon';
    } else {
      this.#expected = 'a comma or the end of the array';
      yield { key: this.#key, index: this.#index++, value, start: this.#start, end };
    }
  }

  #parse(): unknown {
    const [only] = this.#parts;
    const bytes = this.#parts.length === 1 ? (only as Uint8Array) : joined(this.#parts, this.#kept);
    this.#parts = [];
    this.#kept = 0;
    try {
      return JSON.parse(UTF8.decode(bytes));
    } catch (cause) {
      const actual = cause instanceof Error ? cause.message : String(cause);
      throw annotationError(`${this.#source}, byte ${this.#start}`, 'JSON in UTF-8', actual, { cause });
    }
  }

  #wrong(expected: string, place: number): Error {
    const inside = this.#key === '' ? '' : `, in or after ${JSON.stringify(this.#key.slice(0, 100))}`;
    return annotationError(`${this.#source}, byte ${place}${inside}`, `JSON with ${expected}`, 'something else');
  }
}

const UTF8 = new TextDecoder('utf-8', { fatal: true });

/** Bytes with which no value begins: , : ] } */
const END_OR_COLON = new Set([0x2c, 0x3a, 0x5d, 0x7d]);

/** What follows a mark between values. */
const STEPS: Partial<Record<Expected, Readonly<Record<string, Expected>>>> = {
  'the object': { '{': 'a key or the end' },
  'a key or the end': { '}': 'nothing more' },
  'a colon': { ':': 'a value' },
  'an element or the end': { ']': 'a comma or the end of the object' },
  'a comma or the end of the array': { ',': 'an element', ']': 'a comma or the end of the object' },
  'a comma or the end of the object': { ',': 'a key', '}': 'nothing more' },
};

/** Finds the end of a value, whatever is in it. */
class ValueScanner {
  complete = false;
  #depth = 0;
  #mode: 'value' | 'text' | 'escaped' | 'word' = 'value';

  begin(): void {
    this.complete = false;
    this.#depth = 0;
    this.#mode = 'value';
  }

  /** Goes on from a place in a chunk. @returns the place after the value, or the end of the chunk */
  scan(chunk: Uint8Array, from: number): number {
    // Every byte of a file comes by here: local variables, and first the one comparison that most bytes end with.
    let [at, depth, mode] = [from, this.#depth, this.#mode];
    const { length } = chunk;
    for (; at < length && !this.complete; at++) {
      const kind = KINDS[chunk[at] as number];
      if (mode === 'value') {
        if (kind === ORDINARY || kind === SEPARATOR || kind === BACKSLASH) {
          if (depth === 0) mode = 'word';
        } else if (kind === OPEN) depth++;
        else if (kind === CLOSE) this.complete = --depth === 0;
        else mode = 'text';
      } else if (mode === 'text') {
        if (kind === QUOTE) {
          mode = 'value';
          this.complete = depth === 0;
        } else if (kind === BACKSLASH) mode = 'escaped';
      } else if (mode === 'escaped') {
        mode = 'text';
      } else if (kind === SEPARATOR || kind === CLOSE) {
        // A number or a word ends before the first byte that cannot belong to it.
        this.complete = true;
        break;
      }
    }
    this.#depth = depth;
    this.#mode = mode;
    return at;
  }
}

const [ORDINARY, QUOTE, BACKSLASH, OPEN, CLOSE, SEPARATOR] = [0, 1, 2, 3, 4, 5];
/** What each byte is to the scanner. */
const KINDS = Uint8Array.from({ length: 256 }, (_, byte) => {
  const character = String.fromCharCode(byte);
  if (byte <= 0x20 || character === ',') return SEPARATOR;
  return [ORDINARY, QUOTE, BACKSLASH, OPEN, OPEN, CLOSE, CLOSE]['"\\[{]}'.indexOf(character) + 1] as number;
});

function joined(parts: readonly Uint8Array[], length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let position = 0;
  for (const part of parts) {
    bytes.set(part, position);
    position += part.byteLength;
  }
  return bytes;
}
