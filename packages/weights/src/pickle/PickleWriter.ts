import { OPCODES as OP } from './opcodes.ts';

/** Writes the instructions of a pickle of protocol 2. Methods return the writer, so that calls can be chained. */
export class PickleWriter {
  #bytes = new Uint8Array(1024);
  #length = 0;
  /** Globals and strings that occur often are written once and recalled afterwards. */
  readonly #memo = new Map<string, number>();

  constructor() {
    this.op('PROTO').#byte(2);
  }

  op(name: keyof typeof OP): this {
    return this.#byte(OP[name]);
  }

  /** A class or function of Python. */
  global(module: string, name: string): this {
    return this.#once(`global ${module} ${name}`, () => this.op('GLOBAL').#text(`${module}\n${name}\n`));
  }

  /** @param often whether the same string comes again, so that it should be remembered */
  string(text: string, often = false): this {
    const write = () => {
      const bytes = UTF8.encode(text);
      return this.op('BINUNICODE').#uint32(bytes.byteLength).#raw(bytes);
    };
    return often ? this.#once(`string ${text}`, write) : write();
  }

  /** An integer from 0 to 2^53 - 1. */
  integer(value: number): this {
    if (value < 0x100) return this.op('BININT1').#byte(value);
    if (value < 0x80000000) return this.op('BININT').#uint32(value);
    // Seven bytes hold 2^53 and a sign that is always positive.
    this.op('LONG1').#byte(7);
    for (let rest = BigInt(value), i = 0; i < 7; i++, rest >>= 8n) this.#byte(Number(rest & 0xffn));
    return this;
  }

  /** A tuple of integers. */
  integers(values: readonly number[]): this {
    if (values.length === 0) return this.op('EMPTY_TUPLE');
    this.op('MARK');
    for (const value of values) this.integer(value);
    return this.op('TUPLE');
  }

  /** Ends the pickle. */
  finish(): Uint8Array {
    this.op('STOP');
    return this.#bytes.slice(0, this.#length);
  }

  #once(key: string, write: () => unknown): this {
    const known = this.#memo.get(key);
    if (known !== undefined) return this.op('BINGET').#byte(known);
    write();
    // One byte is enough for what is worth remembering.
    if (this.#memo.size < 256) {
      this.op('BINPUT').#byte(this.#memo.size);
      this.#memo.set(key, this.#memo.size);
    }
    return this;
  }

  #byte(value: number): this {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
    return this;
  }

  #uint32(value: number): this {
    for (const shift of [0, 8, 16, 24]) this.#byte((value >>> shift) & 0xff);
    return this;
  }

  #text(text: string): this {
    return this.#raw(UTF8.encode(text));
  }

  #raw(bytes: Uint8Array): this {
    this.#reserve(bytes.byteLength);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.byteLength;
    return this;
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.byteLength) return;
    const larger = new Uint8Array(2 * this.#bytes.byteLength + count);
    larger.set(this.#bytes);
    this.#bytes = larger;
  }
}

const UTF8 = new TextEncoder();
