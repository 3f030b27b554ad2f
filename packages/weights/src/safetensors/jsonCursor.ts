import { quote, type WeightsError } from '../weightsError.ts';

/** Deepest nesting {@link JsonCursor.skipValue} follows. Real headers and indexes nest three levels. */
const MAX_DEPTH = 32;

/** The errors of the format whose JSON is read. */
export interface JsonFaults {
  /** Text that is not the JSON that was expected. */
  malformed(message: string): WeightsError;
  /** A number that cannot be held exactly. */
  overflow(message: string): WeightsError;
}

/**
 * A strict, forward-only JSON reader for files that strangers wrote.
 *
 * `JSON.parse` cannot be used on such headers: it keeps the last of two equal keys, rounds integers above 2^53, and
 * reads `1e3` and `-0` as if they were plain integers, so two programs could see two different files in the same bytes.
 * This reader is driven by the expected structure instead of building a tree, so memory stays proportional to what the
 * caller keeps. It throws the errors given at construction.
 */
export class JsonCursor {
  readonly #text: string;
  readonly #document: string;
  readonly #faults: JsonFaults;
  #at = 0;

  /** `document` names the text in messages ("header"). */
  constructor(text: string, document: string, faults: JsonFaults) {
    this.#text = text;
    this.#document = document;
    this.#faults = faults;
  }

  fail(expected: string): never {
    const found = this.#at < this.#text.length ? quote(this.#text.slice(this.#at, this.#at + 20)) : 'the end';
    throw this.#faults.malformed(
      `expected ${expected} at character ${this.#at} of the ${this.#document}, found ${found}.`,
    );
  }

  /** Calls `visit` once for every member of the object that starts here; `visit` must read the value. */
  object(what: string, visit: (key: string) => void): void {
    this.#expect('{', what);
    if (this.#take('}')) return;
    const seen = new Set<string>();
    do {
      this.#skipSpace();
      const start = this.#at;
      const key = this.string(`a key of ${what}`);
      if (seen.has(key)) {
        this.#at = start;
        this.fail(`each key of ${what} once`);
      }
      seen.add(key);
      this.#expect(':', `":" after a key of ${what}`);
      visit(key);
    } while (this.#take(','));
    this.#expect('}', `"," or "}" in ${what}`);
  }

  /** Calls `visit` once for every element of the array that starts here; `visit` must read the element. */
  array(what: string, visit: () => void): void {
    this.#expect('[', what);
    if (this.#take(']')) return;
    do visit();
    while (this.#take(','));
    this.#expect(']', `"," or "]" in ${what}`);
  }

  string(what: string): string {
    this.#skipSpace();
    const start = this.#at;
    if (this.#text[start] !== '"') this.fail(what);
    let escaped = false;
    for (let i = start + 1; i < this.#text.length; i++) {
      const c = this.#text.charCodeAt(i);
      if (c === 0x22) {
        const value = escaped ? this.#unescape(start, i + 1, what) : this.#text.slice(start + 1, i);
        this.#at = i + 1;
        return value;
      }
      if (c < 0x20) break;
      if (c === 0x5c) {
        escaped = true;
        i++;
      }
    }
    this.fail(`${what} as a closed JSON string without control characters`);
  }

  /** A non-negative integer in plain digits: no sign, no fraction, no exponent, no leading zero, at most 2^53 - 1. */
  integer(what: string): number {
    this.#skipSpace();
    const start = this.#at;
    const end = this.#digitsEnd(start);
    const next = this.#text[end];
    const leadingZero = end - start > 1 && this.#text[start] === '0';
    if (end === start || leadingZero || next === '.' || next === 'e' || next === 'E') {
      this.fail(`${what} as a non-negative integer in plain digits`);
    }
    // 2^53 - 1 has 16 digits: longer text overflows whatever it says, and is not worth converting.
    const value = end - start > 16 ? Number.POSITIVE_INFINITY : Number(this.#text.slice(start, end));
    if (!Number.isSafeInteger(value)) {
      throw this.#faults.overflow(
        `${what} is ${quote(this.#text.slice(start, end))} at character ${start} of the ${this.#document}; the largest ` +
          'integer that can be held exactly is 9007199254740991. No real tensor is that large: the file is not genuine.',
      );
    }
    this.#at = end;
    return value;
  }

  /** Passes over any one JSON value and returns its text. */
  skipValue(what: string, depth = 0): string {
    this.#skipSpace();
    const start = this.#at;
    const c = this.#text[start];
    if (depth > MAX_DEPTH) this.fail(`${what} nested at most ${MAX_DEPTH} levels deep`);
    if (c === '{') this.object(what, () => this.skipValue(what, depth + 1));
    else if (c === '[') this.array(what, () => this.skipValue(what, depth + 1));
    else if (c === '"') this.string(what);
    else if (!['true', 'false', 'null'].some((word) => this.#takeWord(word))) this.#skipNumber(what);
    return this.#text.slice(start, this.#at);
  }

  /** Only white space may follow. */
  end(): void {
    this.#skipSpace();
    if (this.#at < this.#text.length) this.fail(`the end of the JSON object`);
  }

  #skipSpace(): void {
    // The four white-space characters of JSON, and no other.
    while (this.#at < this.#text.length) {
      const c = this.#text.charCodeAt(this.#at);
      if (c !== 0x20 && c !== 0x0a && c !== 0x0d && c !== 0x09) return;
      this.#at++;
    }
  }

  #take(character: string): boolean {
    this.#skipSpace();
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #expect(character: string, what: string): void {
    if (!this.#take(character)) this.fail(what);
  }

  #takeWord(word: string): boolean {
    if (!this.#text.startsWith(word, this.#at)) return false;
    this.#at += word.length;
    return true;
  }

  #digitsEnd(from: number): number {
    let end = from;
    while (end < this.#text.length) {
      const c = this.#text.charCodeAt(end);
      if (c < 0x30 || c > 0x39) break;
      end++;
    }
    return end;
  }

  #skipNumber(what: string): void {
    const digits = (optionalSign: string): void => {
      if (optionalSign.includes(this.#text[this.#at] ?? '?')) this.#at++;
      const end = this.#digitsEnd(this.#at);
      if (end === this.#at) this.fail(`${what} as a JSON value`);
      this.#at = end;
    };
    digits('-');
    if (this.#text[this.#at] === '.') {
      this.#at++;
      digits('');
    }
    if (this.#text[this.#at] === 'e' || this.#text[this.#at] === 'E') {
      this.#at++;
      digits('+-');
    }
  }

  #unescape(start: number, end: number, what: string): string {
    let value: string;
    try {
      value = JSON.parse(this.#text.slice(start, end)) as string;
    } catch {
      this.fail(`${what} with valid JSON escapes`);
    }
    // Half of a surrogate pair has no UTF-8 form, so such a name could never be written back.
    if (/\p{Surrogate}/u.test(value)) this.fail(`${what} without unpaired surrogates`);
    return value;
  }
}
