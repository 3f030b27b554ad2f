import { quote } from '../weightsError.ts';
import { PickleError } from './errors.ts';
import { checkShape } from './graph.ts';
import { OPCODES as OP, opcodeName } from './opcodes.ts';
import { PickleStack } from './stack.ts';
import {
  type Budget,
  isBuildable,
  isTuple,
  OrderedDict,
  PickleCallable,
  type PickleValue,
  typeNameOf,
} from './values.ts';

/** How the names in a pickle become values. */
export interface PickleVocabulary {
  /**
   * The value that stands for a class, function or constant of Python.
   *
   * @throws PickleError RefusedGlobal for everything that is not on the list
   */
  find(module: string, name: string): PickleValue;
  /** The value behind a persistent id (an object that lies outside of the pickle). */
  persistent(id: PickleValue, budget: Budget): PickleValue;
}

/** A pickle that was read, and the position of the first byte after it. */
export interface Unpickled {
  readonly value: PickleValue;
  readonly end: number;
}

/** The most bytes of one pickle. That of a model with 100,000 tensors has some 20 MB. */
export const MAX_PICKLE_BYTES = 64 * 2 ** 20;
/** The longest name of a module or class. */
const MAX_NAME_BYTES = 512;
/** Seeds of random generators have up to 17 bytes. */
const MAX_LONG_BYTES = 32;
const NEWLINE = 0x0a;

/**
 * Carries out a pickle, an allow-list at every step: 34 instructions, the names that `vocabulary` knows, and nothing
 * else. Python's pickles are programs; here they can only put together plain data. Work and memory are bounded by a
 * multiple of the pickle's length (see {@link PickleStack}), and there is no option to be less strict.
 *
 * @param start position of the first instruction
 * @throws PickleError
 */
export function unpickle(bytes: Uint8Array, vocabulary: PickleVocabulary, start = 0): Unpickled {
  const machine = new Machine(bytes, vocabulary, start);
  for (;;) {
    const at = machine.take(1);
    if (at - start >= MAX_PICKLE_BYTES) {
      throw new PickleError(
        'LimitExceeded',
        `the pickle has more than ${MAX_PICKLE_BYTES} bytes. Save the weights alone.`,
      );
    }
    const opcode = bytes[at]!;
    if (opcode === OP.STOP) break;
    const instruction = INSTRUCTIONS[opcode];
    if (instruction === undefined) throw refusedOpcode(opcode, at);
    instruction(machine);
  }
  const value = machine.stack.finish();
  checkShape(value);
  return { value, end: machine.at };
}

/** What each instruction does, by its code. This table is the allow-list: there is nothing else. */
const INSTRUCTIONS: readonly (((m: Machine) => void) | undefined)[] = tableOf({
  [OP.PROTO]: (m) => m.protocol(),
  [OP.NONE]: (m) => m.stack.push(null),
  [OP.NEWTRUE]: (m) => m.stack.push(true),
  [OP.NEWFALSE]: (m) => m.stack.push(false),
  [OP.BININT]: (m) => m.stack.push(m.view.getInt32(m.take(4), true)),
  [OP.BININT1]: (m) => m.stack.push(m.byte()),
  [OP.BININT2]: (m) => m.stack.push(m.view.getUint16(m.take(2), true)),
  [OP.LONG1]: (m) => m.stack.push(m.long(m.byte())),
  [OP.BINFLOAT]: (m) => m.stack.push(m.view.getFloat64(m.take(8), false)),
  [OP.BINUNICODE]: (m) => m.stack.push(m.unicode(m.uint32())),
  [OP.SHORT_BINSTRING]: (m) => m.stack.push(m.byteString(m.byte())),
  [OP.MARK]: (m) => m.stack.mark(),
  [OP.EMPTY_TUPLE]: (m) => m.stack.pushTuple([]),
  [OP.TUPLE1]: (m) => m.stack.pushTuple(m.stack.popMany(1)),
  [OP.TUPLE2]: (m) => m.stack.pushTuple(m.stack.popMany(2)),
  [OP.TUPLE3]: (m) => m.stack.pushTuple(m.stack.popMany(3)),
  [OP.TUPLE]: (m) => m.stack.pushTuple(m.stack.popToMark()),
  [OP.EMPTY_LIST]: (m) => m.stack.pushNew([], 1),
  [OP.EMPTY_DICT]: (m) => m.stack.pushNew(new Map(), 6),
  [OP.EMPTY_SET]: (m) => m.stack.pushNew(new Set(), 6),
  [OP.APPEND]: (m) => m.stack.append(m.stack.popMany(1)),
  [OP.APPENDS]: (m) => m.stack.append(m.stack.popToMark()),
  [OP.SETITEM]: (m) => m.stack.setItems(m.stack.popMany(2)),
  [OP.SETITEMS]: (m) => m.stack.setItems(m.stack.popToMark()),
  [OP.BINPUT]: (m) => m.memoize(m.byte()),
  [OP.LONG_BINPUT]: (m) => m.memoize(m.uint32()),
  [OP.BINGET]: (m) => m.recall(m.byte()),
  [OP.LONG_BINGET]: (m) => m.recall(m.uint32()),
  [OP.GLOBAL]: (m) => m.stack.push(m.vocabulary.find(m.line(), m.line())),
  [OP.BINPERSID]: (m) => m.stack.pushNew(m.vocabulary.persistent(m.stack.pop(), m.stack), 4),
  [OP.REDUCE]: (m) => m.call('REDUCE'),
  [OP.NEWOBJ]: (m) => m.call('NEWOBJ'),
  [OP.BUILD]: (m) => m.build(),
});

function tableOf(instructions: Readonly<Record<number, (m: Machine) => void>>): ((m: Machine) => void)[] {
  return Array.from({ length: 256 }, (_, code) => instructions[code]!);
}

/** The state of one run: position, stack and memo. */
class Machine {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly vocabulary: PickleVocabulary;
  readonly stack: PickleStack;
  readonly memo = new Map<number, PickleValue>();
  readonly start: number;
  at: number;

  constructor(bytes: Uint8Array, vocabulary: PickleVocabulary, start: number) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.vocabulary = vocabulary;
    this.stack = new PickleStack(Math.min(bytes.byteLength - start, MAX_PICKLE_BYTES));
    this.start = start;
    this.at = start;
  }

  /** Moves past `count` bytes and returns where they begin. */
  take(count: number): number {
    const at = this.at;
    if (count > this.bytes.byteLength - at) {
      throw new PickleError(
        'Truncated',
        `the pickle ends in the middle, at byte ${this.bytes.byteLength}. Download it again.`,
      );
    }
    this.at = at + count;
    return at;
  }

  byte(): number {
    return this.bytes[this.take(1)]!;
  }

  uint32(): number {
    return this.view.getUint32(this.take(4), true);
  }

  protocol(): void {
    const at = this.at - 1;
    const protocol = this.byte();
    if (at !== this.start) {
      throw new PickleError('InvalidPickle', `a second pickle begins at byte ${at}, inside the first.`);
    }
    if (protocol > 3) {
      throw new PickleError(
        'RefusedOpcode',
        `the pickle is of protocol ${protocol}; torch.save writes protocol 2, which is read here. Load the file in ` +
          'PyTorch and save its state dict without the argument pickle_protocol.',
      );
    }
  }

  /** A line of ASCII text, as GLOBAL has two. */
  line(): string {
    const end = this.bytes.indexOf(NEWLINE, this.at);
    // A file that was read in part may have the end of the line later on.
    if (end < 0 && this.bytes.byteLength - this.at <= MAX_NAME_BYTES) this.take(MAX_NAME_BYTES + 1);
    if (end < 0 || end - this.at > MAX_NAME_BYTES) {
      throw new PickleError('LimitExceeded', `the name of a class has more than ${MAX_NAME_BYTES} bytes.`);
    }
    const line = String.fromCharCode(...this.bytes.subarray(this.at, end));
    this.at = end + 1;
    if (!/^[!-~]*$/.test(line)) {
      throw new PickleError('InvalidPickle', `${quote(line)} is no name of a module or class.`);
    }
    this.stack.charge(1);
    return line;
  }

  call(opcode: 'REDUCE' | 'NEWOBJ'): void {
    const args = this.stack.pop();
    const target = this.stack.pop();
    if (!(target instanceof PickleCallable) || !isTuple(args)) {
      throw new PickleError('InvalidPickle', `${opcode} calls ${typeNameOf(target)} with ${typeNameOf(args)}.`);
    }
    this.stack.pushNew(target.call(args, this.stack), 1);
  }

  build(): void {
    const state = this.stack.pop();
    const target = this.stack.top();
    if (isBuildable(target)) target.build(state, this.stack);
    else if (!(target instanceof OrderedDict && state instanceof Map)) {
      throw new PickleError('InvalidPickle', `BUILD gives ${typeNameOf(state)} as state to ${typeNameOf(target)}.`);
    }
  }

  memoize(index: number): void {
    this.stack.charge(2);
    this.memo.set(index, this.stack.top());
  }

  recall(index: number): void {
    const value = this.memo.get(index);
    if (value === undefined) {
      throw new PickleError('InvalidPickle', `the pickle refers to object ${index}, which it never made.`);
    }
    this.stack.push(value);
  }

  /** A two's-complement integer, little-endian. */
  long(length: number): number | bigint {
    if (length > MAX_LONG_BYTES) {
      throw new PickleError('LimitExceeded', `an integer has ${length} bytes, at most ${MAX_LONG_BYTES} are read.`);
    }
    const at = this.take(length);
    let value = 0n;
    for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(this.bytes[at + i]!);
    this.stack.charge(1);
    const signed = BigInt.asIntN(length * 8, value);
    const small = Number(signed);
    return Number.isSafeInteger(small) ? small : signed;
  }

  unicode(length: number): string {
    const at = this.take(length);
    this.stack.charge(1 + length / 32);
    return this.#utf8(at, length) ?? this.#notText(at);
  }

  #notText(at: number): never {
    throw new PickleError('InvalidPickle', `the string at byte ${at} is not UTF-8 text.`);
  }

  /** A `str` of Python 2, which may have been text or bytes. */
  byteString(length: number): string | Uint8Array {
    const at = this.take(length);
    this.stack.charge(1 + length / 32);
    return this.#utf8(at, length) ?? this.bytes.slice(at, at + length);
  }

  #utf8(at: number, length: number): string | undefined {
    const bytes = this.bytes;
    // Most strings are short names; decoding these by hand is several times faster than a TextDecoder.
    if (length < 48) {
      let text = '';
      for (let i = at; i < at + length && bytes[i]! < 0x80; i++) text += String.fromCharCode(bytes[i]!);
      if (text.length === length) return text;
    }
    try {
      return UTF8.decode(bytes.slice(at, at + length));
    } catch {
      return undefined;
    }
  }
}

function refusedOpcode(opcode: number, at: number): PickleError {
  const newer = opcode > OP.LONG1 ? ' It belongs to a newer protocol than torch.save uses.' : '';
  return new PickleError(
    'RefusedOpcode',
    `instruction ${opcodeName(opcode)} at byte ${at} is not one that a file of weights needs.${newer} The file is damaged, ` +
      'was made by another program than torch.save, or is an attack. If you know its author, have them save the state ' +
      'dict alone.',
  );
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
