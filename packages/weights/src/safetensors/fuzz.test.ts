import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { errorOf, fileOf, fixture } from '../testing/bytes.ts';
import { SafetensorsError } from './errors.ts';
import { parseSafetensors } from './parse.ts';
import { parseSafetensorsIndex } from './shardIndex.ts';

/**
 * Damaged files by the thousand: each must either open, with every tensor inside the file, or be refused with our error.
 * `SACCADE_FUZZ_RUNS=1000000 npx vitest run packages/weights/src/safetensors/fuzz.test.ts` looks longer and, without
 * `SACCADE_FUZZ_SEED`, at other files every time.
 */
const RUNS = Number(process.env.SACCADE_FUZZ_RUNS ?? 20_000);
const SEED = Number(process.env.SACCADE_FUZZ_SEED ?? (process.env.SACCADE_FUZZ_RUNS ? Date.now() % 2 ** 31 : 7));
const SETTINGS = { numRuns: RUNS, seed: SEED };
/** The files here have at most some 10 kB; a millisecond is plenty, the rest is for a machine that is busy. */
const SLOWEST_MS = 2000;
const TIMEOUT = 60_000 + RUNS * 5;

/** Opens the file and reads everything in it. Returns 'opened' or the code of the refusal. */
function outcome(bytes: Uint8Array): string {
  const start = performance.now();
  const result = tryOpen(bytes);
  expect(performance.now() - start).toBeLessThan(SLOWEST_MS);
  return result;
}

function tryOpen(bytes: Uint8Array): string {
  let file: ReturnType<typeof parseSafetensors>;
  try {
    file = parseSafetensors(bytes);
  } catch (error) {
    if (error instanceof SafetensorsError) return error.code;
    throw error;
  }
  let covered = 0;
  for (const name of file.names) {
    const { shape, byteOffset, byteLength } = file.info(name);
    expect(byteOffset).toBeGreaterThanOrEqual(8);
    expect(byteOffset + byteLength).toBeLessThanOrEqual(bytes.length);
    covered += byteLength;
    try {
      expect(file.get(name).data.length).toBe(shape.reduce((product, size) => product * size, 1));
    } catch (error) {
      if (!(error instanceof SafetensorsError && error.code === 'UnsupportedDtype')) throw error;
    }
  }
  const headerLength = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  expect(covered).toBe(bytes.length - 8 - headerLength);
  return 'opened';
}

/** Runs the property and counts outcomes, so that a test can show it did not stop at the first check. */
function tally(files: fc.Arbitrary<Uint8Array>): Record<string, number> {
  const counts: Record<string, number> = {};
  fc.assert(
    fc.property(files, (bytes) => {
      const result = outcome(bytes);
      counts[result] = (counts[result] ?? 0) + 1;
    }),
    SETTINGS,
  );
  return counts;
}

const SMALL = fileOf(
  {
    __metadata__: { format: 'pt' },
    a: { dtype: 'F32', shape: [2, 2], data_offsets: [0, 16] },
    b: { dtype: 'BF16', shape: [3], data_offsets: [16, 22] },
    c: { dtype: 'F4', shape: [2], data_offsets: [22, 23] },
  },
  23,
);
const VALID = [SMALL, fileOf('{}'), fixture('upstream_opaque.safetensors'), fixture('structsa_operator.safetensors')];

/** Text that is likely to matter in a header. */
const TOKENS = [
  ...[
    '"',
    '\\',
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    ' ',
    '\n',
    '\0',
    '"a"',
    '"b"',
    '"\\u0061"',
    '"__proto__"',
    '"__metadata__"',
  ],
  ...[
    '0',
    '1',
    '2',
    '16',
    '-1',
    '-0',
    '1.0',
    '1e3',
    '01',
    '9007199254740991',
    '9007199254740992',
    '18446744073709551615',
  ],
  ...[
    'null',
    'true',
    'NaN',
    '"dtype"',
    '"shape"',
    '"data_offsets"',
    '"F32"',
    '"F4"',
    '"I64"',
    '"BOOL"',
    '\ud800',
    '😀',
  ],
];

type Change = (bytes: number[]) => void;

/** A place along the file, uniform in [0, 1): `fc.double` would give mostly tiny numbers, always the first byte. */
const place = fc.noBias(fc.nat({ max: 2 ** 31 - 1 })).map((n) => n / 2 ** 31);
/** Half of the places fall into the first 200 bytes, where the structure is. */
const position = fc.tuple(place, fc.boolean()).map(([x, early]) => (bytes: readonly number[]) => {
  return Math.floor(x * (early ? Math.min(bytes.length, 200) : bytes.length));
});

const change: fc.Arbitrary<Change> = fc.oneof(
  fc.tuple(position, fc.nat({ max: 7 })).map(
    ([at, bit]): Change =>
      (bytes) => {
        if (bytes.length > 0) bytes[at(bytes)]! ^= 1 << bit;
      },
  ),
  fc.tuple(position, fc.nat({ max: 255 })).map(
    ([at, value]): Change =>
      (bytes) => {
        bytes.splice(at(bytes), 1, value);
      },
  ),
  fc.tuple(position, fc.integer({ min: 1, max: 20 })).map(
    ([at, count]): Change =>
      (bytes) => {
        bytes.splice(at(bytes), count);
      },
  ),
  fc.tuple(position, fc.constantFrom(...TOKENS), fc.nat({ max: 4 })).map(
    ([at, token, over]): Change =>
      (bytes) => {
        bytes.splice(at(bytes), over, ...new TextEncoder().encode(token));
      },
  ),
  fc.tuple(position, position, fc.integer({ min: 1, max: 60 })).map(
    ([from, to, count]): Change =>
      (bytes) => {
        const start = from(bytes);
        bytes.splice(to(bytes), 0, ...bytes.slice(start, start + count));
      },
  ),
);

/** The next digit becomes another one: the header stays JSON and starts to lie. */
const digitChange: fc.Arbitrary<Change> = fc.tuple(position, fc.nat({ max: 9 })).map(([at, digit]) => (bytes) => {
  const found = bytes.findIndex((byte, i) => i >= at(bytes) && byte >= 0x30 && byte <= 0x39);
  if (found >= 0) bytes[found] = 0x30 + digit;
});

/** Most changes alter the length of the header; a corrected length in front lets them get past the first checks. */
function damaged(valid: Uint8Array, changes: readonly Change[], correctLength: boolean): Uint8Array {
  const dataStart = correctLength ? 8 + new DataView(valid.buffer, valid.byteOffset).getUint32(0, true) : valid.length;
  const bytes = [...valid.subarray(correctLength ? 8 : 0, dataStart)];
  for (const apply of changes) apply(bytes);
  return correctLength ? fileOf(Uint8Array.from(bytes), valid.subarray(dataStart)) : Uint8Array.from(bytes);
}

/** Headers built of the right parts with the wrong numbers. */
const number = fc.oneof(
  { weight: 6, arbitrary: fc.nat({ max: 4 }).map(String) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('-1', '1.5', '1e1', '9007199254740991', '9007199254740993', '4294967296', '""'),
  },
);
const description = fc
  .tuple(
    fc.constantFrom('U8', 'I8', 'BOOL', 'F16', 'F4', 'F6_E2M3', 'F32', 'I64', 'X'),
    fc.array(number, { maxLength: 3 }),
    fc.array(number, { minLength: 2, maxLength: 2 }),
  )
  .map(([dtype, shape, range]) => `{"dtype":"${dtype}","shape":[${shape}],"data_offsets":[${range}]}`);
const assembled = fc
  .tuple(
    fc.array(fc.tuple(fc.constantFrom('a', 'b', '__proto__', ''), description), { maxLength: 3 }),
    fc.nat({ max: 8 }),
  )
  .map(([members, data]) => fileOf(`{${members.map(([name, text]) => `${JSON.stringify(name)}:${text}`)}}`, data));

describe(`parseSafetensors, ${RUNS} files each, seed ${SEED}`, () => {
  it(
    'survives random bytes',
    () => {
      const bytes = fc.uint8Array({ maxLength: 300 });
      const withHeader = fc.tuple(bytes, bytes).map(([header, data]) => fileOf(header, data));
      const counts = tally(fc.oneof(bytes, withHeader));
      expect(Object.keys(counts).length).toBeGreaterThanOrEqual(3);
    },
    TIMEOUT,
  );

  it(
    'survives damaged files',
    () => {
      const files = fc
        .tuple(
          fc.constantFrom(...VALID),
          fc.array(fc.oneof(change, digitChange), { minLength: 1, maxLength: 3 }),
          fc.boolean(),
        )
        .map(([valid, changes, correctLength]) => damaged(valid, changes, correctLength));
      const counts = tally(files);
      for (const reached of ['opened', 'InvalidHeaderDeserialization', 'InvalidOffset', 'TensorInvalidInfo']) {
        expect(counts[reached] ?? 0, `${reached} in ${JSON.stringify(counts)}`).toBeGreaterThan(RUNS / 1000);
      }
    },
    TIMEOUT,
  );

  it(
    'survives headers with wrong numbers',
    () => {
      const counts = tally(assembled);
      for (const reached of ['opened', 'InvalidOffset', 'TensorInvalidInfo', 'ValidationOverflow', 'MisalignedSlice']) {
        expect(counts[reached] ?? 0, `${reached} in ${JSON.stringify(counts)}`).toBeGreaterThan(RUNS / 2000);
      }
    },
    TIMEOUT,
  );
});

describe('parseSafetensorsIndex', () => {
  it(
    `survives ${RUNS} damaged indexes`,
    () => {
      const valid = new TextEncoder().encode(
        '{"metadata":{"total_size":12,"n":[1.5e3,null]},"weight_map":{"a":"m-1.safetensors","b":"m-2.safetensors"}}',
      );
      let opened = 0;
      fc.assert(
        fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), (changes) => {
          const bytes = [...valid];
          for (const apply of changes) apply(bytes);
          const text = new TextDecoder().decode(Uint8Array.from(bytes));
          try {
            for (const shard of parseSafetensorsIndex(text).shards) expect(shard).not.toMatch(/[/\\:%\0]|^\./);
            opened++;
          } catch (error) {
            if (!(error instanceof SafetensorsError)) throw error;
            expect(['InvalidIndex', 'ValidationOverflow']).toContain(error.code);
          }
        }),
        SETTINGS,
      );
      expect(opened).toBeGreaterThan(0);
      expect(opened).toBeLessThan(RUNS);
    },
    TIMEOUT,
  );
});

it('the harness itself rejects an error of another type', () => {
  expect(() =>
    errorOf(() => {
      throw new RangeError('not ours');
    }),
  ).toThrow(RangeError);
});
