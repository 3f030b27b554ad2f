import { describe, expect, it } from 'vitest';
import { latin1 } from '../testing/bytes.ts';
import { get, global, int, type Part, pickleOf, program, put, string, tuple } from '../testing/pickleBuilder.ts';
import { joined } from '../testing/zipBuilder.ts';
import { PickleError, type PickleErrorCode } from './errors.ts';
import { MAX_DEPTH } from './graph.ts';
import { OPCODES } from './opcodes.ts';
import { PickleWriter } from './PickleWriter.ts';
import { type PickleVocabulary, unpickle } from './unpickle.ts';
import { OrderedDict, PickleCallable, type PickleValue } from './values.ts';

const NAMES = new Map<string, PickleValue>([
  ['test.pair', new PickleCallable('test.pair', (args) => [...args])],
  ['test.dict', new PickleCallable('test.dict', () => new OrderedDict())],
]);
const VOCABULARY: PickleVocabulary = {
  find: (module, name) => {
    const value = NAMES.get(`${module}.${name}`);
    if (value === undefined) throw new PickleError('RefusedGlobal', 'not known here', { refused: `${module}.${name}` });
    return value;
  },
  persistent: (id) => id,
};

const read = (...parts: Part[]): PickleValue => unpickle(pickleOf(...parts), VOCABULARY).value;

function codeOf(run: () => unknown): PickleErrorCode {
  try {
    run();
  } catch (error) {
    if (error instanceof PickleError) return error.code;
    throw error;
  }
  throw new Error('expected a PickleError, nothing was thrown');
}

const op = (code: number, ...args: number[]) => Uint8Array.of(code, ...args);

describe('unpickle', () => {
  // Bytes as Python 3.11 writes them: pickle.dumps(value, protocol=2).
  it.each<[string, string, unknown]>([
    ['None', '80024e2e', null],
    ['True', '8002882e', true],
    ['255', '80024bff2e', 255],
    ['65535', '80024dffff2e', 65535],
    ['-1', '80024affffffff2e', -1],
    ['2**31 - 1', '80024affffff7f2e', 2 ** 31 - 1],
    ['2**31', '80028a0500000080002e', 2 ** 31],
    ['-2**31 - 1', '80028a05ffffff7fff2e', -(2 ** 31) - 1],
    ['2**53 - 1', '80028a07ffffffffffff1f2e', 2 ** 53 - 1],
    ['2**53', '80028a07000000000000202e', 2n ** 53n],
    ['-2**63', '80028a0800000000000000802e', -(2n ** 63n)],
    ['0.1', '8002473fb999999999999a2e', 0.1],
    ["'é\\U0001f600'", '80025806000000c3a9f09f988071002e', 'é\u{1f600}'],
    ['(1, 2, 3, 4)', '8002284b014b024b034b047471002e', [1, 2, 3, 4]],
    ['[1, [2], ()]', '80025d7100284b015d71014b02612965' + '2e', [1, [2], []]],
    [
      "{'a': 1, 2: (3,)}",
      '80027d71002858010000006171014b014b024b03857102752e',
      new Map<unknown, unknown>([
        ['a', 1],
        [2, [3]],
      ]),
    ],
  ])('%s', (_, hex, expected) => {
    expect(unpickle(Uint8Array.from(Buffer.from(hex, 'hex')), VOCABULARY).value).toEqual(expected);
  });

  it('keeps what is shared shared', () => {
    const [a, b] = read('EMPTY_LIST', put(0), int(1), 'APPEND', get(0), 'TUPLE2') as unknown[];
    expect(a).toBe(b);
    expect(a).toEqual([1]);
  });

  it('takes names like those of the prototype as plain keys', () => {
    const dict = read('EMPTY_DICT', 'MARK', string('__proto__'), int(1), string('constructor'), int(2), 'SETITEMS');
    expect(dict).toEqual(
      new Map([
        ['__proto__', 1],
        ['constructor', 2],
      ]),
    );
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  it('reads Python 2: str that is text, and str that is bytes', () => {
    expect(read(op(0x55, 2, 0x61, 0x62))).toBe('ab');
    expect(read(op(0x55, 2, 0xff, 0x62))).toEqual(Uint8Array.of(0xff, 0x62));
  });

  it('calls what the vocabulary gives, with REDUCE and NEWOBJ', () => {
    expect(read(global('test', 'pair'), tuple(int(1), int(2)), 'REDUCE')).toEqual([1, 2]);
    expect(read(global('test', 'pair'), 'EMPTY_TUPLE', 'NEWOBJ')).toEqual([]);
    expect(read(global('test', 'dict'), 'EMPTY_TUPLE', 'REDUCE', 'EMPTY_DICT', 'BUILD')).toEqual(new OrderedDict());
    expect(read(tuple(int(1)), 'BINPERSID')).toEqual([1]);
  });

  it('says where the pickle ends', () => {
    const one = pickleOf(int(7));
    expect(unpickle(joined(one, latin1('rest')), VOCABULARY)).toEqual({ value: 7, end: one.length });
    expect(unpickle(joined(latin1('xx'), one), VOCABULARY, 2)).toEqual({ value: 7, end: one.length + 2 });
  });

  it('carries out 34 instructions and no other', () => {
    expect(Object.keys(OPCODES)).toHaveLength(34);
    const allowed = new Set<number>(Object.values(OPCODES));
    for (let code = 0; code < 256; code++) {
      const result = codeOf(() => unpickle(joined(program('PROTO', op(2)), op(code)), VOCABULARY));
      // The others stop for want of bytes or values; these are not even begun.
      expect(result === 'RefusedOpcode', `instruction ${code}`).toBe(!allowed.has(code));
    }
  });

  it.each([
    ['STACK_GLOBAL', program(string('os'), string('system'), op(0x93))],
    ['INST', latin1('(ios\nsystem\n')],
    ['OBJ', program('MARK', op(0x6f))],
    ['EXT1', op(0x82, 1)],
    ['EXT2', op(0x83, 1, 0)],
    ['EXT4', op(0x84, 1, 0, 0, 0)],
    ['NEWOBJ_EX', op(0x92)],
    ['PERSID', latin1('P1\n')],
    ['DUP', op(0x32)],
    ['FRAME', op(0x95, 0, 0, 0, 0, 0, 0, 0, 0)],
    ['NEXT_BUFFER', op(0x97)],
  ])('refuses %s by name', (name, bytes) => {
    expect(() => unpickle(joined(program('PROTO', op(2)), bytes), VOCABULARY)).toThrow(
      new RegExp(`RefusedOpcode: instruction ${name} at byte`),
    );
  });

  it.each([4, 5, 200])('refuses protocol %s', (protocol) => {
    expect(codeOf(() => unpickle(program('PROTO', op(protocol), 'NONE', 'STOP'), VOCABULARY))).toBe('RefusedOpcode');
  });

  it.each<[string, PickleErrorCode, Part[]]>([
    ['nothing on the stack', 'InvalidPickle', []],
    ['two values on the stack', 'InvalidPickle', ['NONE', 'NONE']],
    ['an open mark', 'InvalidPickle', ['NONE', 'MARK']],
    ['a tuple without mark', 'InvalidPickle', ['NONE', 'TUPLE']],
    ['a value from below the mark', 'InvalidPickle', [int(1), 'MARK', 'TUPLE1', 'TUPLE', 'TUPLE2']],
    ['a pair of one', 'InvalidPickle', [int(1), 'TUPLE2']],
    ['an object never made', 'InvalidPickle', [get(3)]],
    ['an object made later', 'InvalidPickle', [get(0), put(0)]],
    ['a memo of nothing', 'InvalidPickle', [put(0), 'NONE']],
    ['an item appended to a dict', 'InvalidPickle', ['EMPTY_DICT', int(1), 'APPEND']],
    ['an item appended to a tuple', 'InvalidPickle', ['EMPTY_TUPLE', int(1), 'APPEND']],
    ['items appended to None', 'InvalidPickle', ['NONE', 'MARK', int(1), 'APPENDS']],
    ['a key set in a list', 'InvalidPickle', ['EMPTY_LIST', int(0), int(1), 'SETITEM']],
    ['an odd number of keys and values', 'InvalidPickle', ['EMPTY_DICT', 'MARK', int(0), 'SETITEMS']],
    ['a list as key', 'InvalidPickle', ['EMPTY_DICT', 'EMPTY_LIST', int(1), 'SETITEM']],
    ['a dict as key', 'InvalidPickle', ['EMPTY_DICT', 'EMPTY_DICT', int(1), 'SETITEM']],
    [
      'the same key twice',
      'InvalidPickle',
      ['EMPTY_DICT', 'MARK', string('a'), int(1), string('a'), int(2), 'SETITEMS'],
    ],
    ['a call of a string', 'InvalidPickle', [string('os.system'), tuple(string('id')), 'REDUCE']],
    ['a call with a list', 'InvalidPickle', [global('test', 'pair'), 'EMPTY_LIST', 'REDUCE']],
    ['a new object of a dict', 'InvalidPickle', ['EMPTY_DICT', 'EMPTY_TUPLE', 'NEWOBJ']],
    ['a state for a plain dict', 'InvalidPickle', ['EMPTY_DICT', 'EMPTY_DICT', 'BUILD']],
    ['a state for a list', 'InvalidPickle', ['EMPTY_LIST', 'EMPTY_DICT', 'BUILD']],
    ['a state for a function', 'InvalidPickle', [global('test', 'pair'), 'EMPTY_DICT', 'BUILD']],
    ['a list as state', 'InvalidPickle', [global('test', 'dict'), 'EMPTY_TUPLE', 'REDUCE', 'EMPTY_LIST', 'BUILD']],
    ['a list in itself', 'InvalidPickle', ['EMPTY_LIST', put(0), get(0), 'APPEND']],
    [
      'a dict in a list in the dict',
      'InvalidPickle',
      ['EMPTY_DICT', put(0), int(1), 'EMPTY_LIST', get(0), 'APPEND', 'SETITEM'],
    ],
    ['a second pickle inside', 'InvalidPickle', ['PROTO', op(2), 'NONE']],
    ['text that is not UTF-8', 'InvalidPickle', [op(0x58, 1, 0, 0, 0, 0xff)]],
    ['half a surrogate pair', 'InvalidPickle', [op(0x58, 3, 0, 0, 0, 0xed, 0xa0, 0x80)]],
    ['a name with a space', 'InvalidPickle', [latin1('cos\nsys tem\n')]],
    ['a name that is not ASCII', 'InvalidPickle', [latin1('co\xff\nsystem\n')]],
    ['a very long name', 'LimitExceeded', [latin1(`c${'a'.repeat(600)}\nb\n`)]],
    ['an unknown name', 'RefusedGlobal', [global('os', 'system'), tuple(string('id')), 'REDUCE']],
  ])('refuses %s: %s', (_, code, parts) => {
    expect(codeOf(() => read(...parts))).toBe(code);
  });

  it('cut anywhere is refused as cut', () => {
    const whole = pickleOf(
      'EMPTY_DICT',
      string('key'),
      op(0x8a, 4, 1, 2, 3, 4),
      op(0x47, 0, 1, 2, 3, 4, 5, 6, 7),
      'TUPLE2',
      global('test', 'pair'),
      get(0),
    );
    for (let length = 0; length < whole.length - 3; length++) {
      expect(codeOf(() => unpickle(whole.subarray(0, length), VOCABULARY))).toBe('Truncated');
    }
    // A length beyond the end costs nothing.
    expect(codeOf(() => read(op(0x58, 255, 255, 255, 255)))).toBe('Truncated');
  });
});

/** Many times the same bytes. */
function times(count: number, bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(count * bytes.length);
  for (let at = 0; at < out.length; at += bytes.length) out.set(bytes, at);
  return out;
}

describe('bombs', () => {
  const chain = (levels: number, bytes: Uint8Array) => program('EMPTY_TUPLE', times(levels, bytes));

  it('lets through nesting up to the limit and no deeper', () => {
    expect(read(chain(MAX_DEPTH, program('TUPLE1')))).toHaveLength(1);
    expect(codeOf(() => read(chain(MAX_DEPTH + 1, program('TUPLE1'))))).toBe('LimitExceeded');
    expect(codeOf(() => read(chain(100_000, program('TUPLE1'))))).toBe('LimitExceeded');
  });

  it('does not multiply what occurs twice (a billion laughs)', () => {
    // Each level holds the one before twice: 2^100 leaves for whoever copies them.
    const level = (i: number) => program(put(i), get(i), 'TUPLE2');
    const laughs = joined(program('EMPTY_TUPLE'), ...Array.from({ length: 100 }, (_, i) => level(i)));
    const start = performance.now();
    expect(read(laughs)).toHaveLength(2);
    expect(performance.now() - start).toBeLessThan(1000);
  });

  it('does not lose track of depth in what occurs twice', () => {
    // 150 levels, looked at first on their own; then once more, below 100 others.
    const twice = (levels: number) =>
      program(chain(150, program('TUPLE1')), put(0), get(0), times(levels, program('TUPLE1')), 'TUPLE2');
    expect(read(twice(30))).toHaveLength(2);
    expect(codeOf(() => read(twice(100)))).toBe('LimitExceeded');
  });

  it.each<[string, Uint8Array]>([
    ['empty dicts', program('MARK', times(2_000_000, program('EMPTY_DICT')), 'TUPLE')],
    ['empty sets', program('MARK', times(2_000_000, program('EMPTY_SET')), 'TUPLE')],
    ['values', program('MARK', times(20_000_000, program('NONE')), 'TUPLE')],
    ['marks', times(11_000_000, program('MARK'))],
    ['a very long integer', op(0x8a, 255)],
  ])(
    'of %s are refused before they exhaust memory',
    (_, parts) => {
      const bytes = pickleOf(parts);
      const before = process.memoryUsage().rss;
      const start = process.cpuUsage();
      expect(codeOf(() => unpickle(bytes, VOCABULARY))).toBe('LimitExceeded');
      // Half a second on an idle machine. Time on the clock would also count the other programs of a busy one.
      expect(process.cpuUsage(start).user).toBeLessThan(10e6);
      expect(process.memoryUsage().rss - before).toBeLessThan(600 * 2 ** 20);
    },
    60_000,
  );
});

describe('PickleWriter', () => {
  it.each([0, 1, 255, 256, 65535, 65536, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 48, 2 ** 53 - 1])('writes %s', (value) => {
    expect(unpickle(new PickleWriter().integer(value).finish(), VOCABULARY).value).toBe(value);
  });

  it('remembers what comes again', () => {
    const writer = new PickleWriter().op('MARK');
    for (let i = 0; i < 300; i++) writer.string(`text ${i}`, true);
    for (let i = 0; i < 300; i++) writer.string(`text ${i}`, true);
    const values = unpickle(writer.op('TUPLE').finish(), VOCABULARY).value as string[];
    expect(values.slice(300)).toEqual(values.slice(0, 300));
    expect(new Set(values).size).toBe(300);
  });
});
