import { MAX_RANK } from '../safetensors/header.ts';
import { quote } from '../weightsError.ts';
import { NumpyFileError } from './errors.ts';

/** The header of an array, as it is written: a dictionary in the notation of Python. */
export interface NpyDictionary {
  /** The element type, '<f4' for example. */
  readonly descr: string;
  /** Whether the first axis is the one whose neighbours lie together. */
  readonly fortranOrder: boolean;
  readonly shape: readonly number[];
}

/**
 * Reads `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`: these three keys, each once, in any order, and no
 * notation of Python beyond what they need.
 *
 * @param longs whether sizes may end in L, as those that Python 2 wrote
 * @throws NumpyFileError InvalidHeader; UnsupportedDtype for the description of a record
 */
export function parseNpyDictionary(text: string, longs: boolean): NpyDictionary {
  const cursor: PythonCursor = new PythonCursor(text);
  let descr: string | undefined;
  let fortranOrder: boolean | undefined;
  let shape: number[] | undefined;
  cursor.expect('{');
  while (!cursor.take('}')) {
    const key = cursor.string('a key');
    cursor.expect(':');
    if (key === 'descr' && descr === undefined) descr = readDescr(cursor);
    else if (key === 'fortran_order' && fortranOrder === undefined) fortranOrder = cursor.boolean();
    else if (key === 'shape' && shape === undefined) shape = cursor.tuple(longs);
    else cursor.fail(`the keys descr, fortran_order and shape once each, not ${quote(key)}`);
    if (!cursor.take(',')) {
      cursor.expect('}');
      break;
    }
  }
  cursor.end();
  if (descr === undefined || fortranOrder === undefined || shape === undefined) {
    cursor.fail('all of the keys descr, fortran_order and shape');
  }
  return { descr, fortranOrder, shape: Object.freeze(shape) };
}

function readDescr(cursor: PythonCursor): string {
  if (cursor.at('[') || cursor.at('(') || cursor.at('{')) {
    throw new NumpyFileError(
      'UnsupportedDtype',
      'it is an array of records, which are no tensors. Save each field by itself: ' +
        "np.savez('fields.npz', **{name: array[name] for name in array.dtype.names}).",
    );
  }
  return cursor.string('the element type as a string');
}

/** A forward-only reader of the few literals that occur. */
class PythonCursor {
  readonly #text: string;
  #position = 0;

  constructor(text: string) {
    this.#text = text;
  }

  fail(expected: string): never {
    const rest = this.#text.slice(this.#position, this.#position + 20);
    throw new NumpyFileError(
      'InvalidHeader',
      `expected ${expected} at character ${this.#position} of the header, found ${rest === '' ? 'the end' : quote(rest)}. ` +
        'The file is damaged or was not written by NumPy; download or save it again.',
    );
  }

  /** Whether `character` comes next. */
  at(character: string): boolean {
    this.#skipSpace();
    return this.#text[this.#position] === character;
  }

  take(character: string): boolean {
    if (!this.at(character)) return false;
    this.#position++;
    return true;
  }

  expect(character: string): void {
    if (!this.take(character)) this.fail(quote(character));
  }

  /** A string without escapes, in quotes of either kind. */
  string(what: string): string {
    this.#skipSpace();
    const [whole, , value] = this.#match(/(['"])([^'"\\\n]*)\1/y) ?? this.fail(what);
    this.#position += whole.length;
    return value!;
  }

  boolean(): boolean {
    this.#skipSpace();
    const [word] = this.#match(/(True|False)(?!\w)/y) ?? this.fail('True or False');
    this.#position += word.length;
    return word === 'True';
  }

  /** `()`, `(3,)`, `(3, 4)`: a single number in parentheses is no tuple. */
  tuple(longs: boolean): number[] {
    const values: number[] = [];
    this.expect('(');
    let comma = true;
    while (!this.at(')')) {
      if (!comma || values.length === MAX_RANK) this.fail(comma ? `at most ${MAX_RANK} sizes` : '"," or ")"');
      values.push(this.#integer(longs));
      comma = this.take(',');
    }
    if (values.length === 1 && !comma) this.fail('a comma after the only size');
    this.expect(')');
    return values;
  }

  end(): void {
    this.#skipSpace();
    if (this.#position < this.#text.length) this.fail('nothing but spaces after the dictionary');
  }

  #integer(longs: boolean): number {
    this.#skipSpace();
    const [whole, digits] = this.#match(longs ? /(\d+)L?(?!\w)/y : /(\d+)(?!\w)/y) ?? this.fail('a size in digits');
    // 2^53 - 1 has 16 digits.
    const value = digits!.length > 16 ? Number.POSITIVE_INFINITY : Number(digits);
    if (!Number.isSafeInteger(value)) this.fail('a size up to 9007199254740991');
    this.#position += whole.length;
    return value;
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#position;
    return pattern.exec(this.#text);
  }

  #skipSpace(): void {
    const [space] = this.#match(/[ \n\r\t]*/y) ?? [''];
    this.#position += space.length;
  }
}
