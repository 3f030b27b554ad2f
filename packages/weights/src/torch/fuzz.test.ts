import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FUZZ_TARGETS, outcomeOf } from '../testing/fuzzTargets.ts';
import { FuzzRandom, mutate } from '../testing/mutate.ts';
import {
  get,
  global,
  int,
  type Part,
  pickleOf,
  program,
  put,
  storage,
  string,
  tensor,
  tuple,
} from '../testing/pickleBuilder.ts';

/**
 * Damaged files and wrong pickles: each must open, with tensors that fit, or be refused with our error. `pnpm --filter
 * @saccade/weights run fuzz` looks longer and, guided by coverage, deeper.
 */
const RUNS = Number(process.env.SACCADE_FUZZ_RUNS ?? 2000);
const SEED = Number(process.env.SACCADE_FUZZ_SEED ?? (process.env.SACCADE_FUZZ_RUNS ? Date.now() % 2 ** 31 : 7));
const TIMEOUT = 60_000 + RUNS * 20;

const target = (name: string) => FUZZ_TARGETS.find((t) => t.name === name)!;

/** Runs the property and counts outcomes, so that a test can show it did not stop at the first check. */
function tally(inputs: fc.Arbitrary<Uint8Array>, run: (input: Uint8Array) => string): Record<string, number> {
  const counts: Record<string, number> = {};
  fc.assert(
    fc.property(inputs, (input) => {
      const outcome = run(input);
      counts[outcome] = (counts[outcome] ?? 0) + 1;
    }),
    { numRuns: RUNS, seed: SEED },
  );
  return counts;
}

const numbers: Part[] = [0, 1, 2, 3, 4, 5, -1, 64, 2 ** 31 - 1].map(int);
const view = (offset: number, shape: number[], stride: number[]) =>
  tensor(storage('0', 128), int(offset), tuple(...shape.map(int)), tuple(...stride.map(int)));
/** Parts of pickles, whole values among them, so that many programs come to an end. */
const PARTS: readonly Part[] = [
  ...numbers,
  ...([
    'NONE',
    'NEWTRUE',
    'NEWFALSE',
    'EMPTY_TUPLE',
    'EMPTY_LIST',
    'EMPTY_DICT',
    'EMPTY_SET',
    'MARK',
    'TUPLE',
  ] as const),
  ...(['TUPLE1', 'TUPLE2', 'TUPLE3', 'APPEND', 'APPENDS', 'SETITEM', 'SETITEMS', 'REDUCE', 'NEWOBJ', 'BUILD'] as const),
  ...(['SETITEM', 'SETITEM', 'APPEND', 'BINPERSID'] as const),
  ...[0, 1, 2].flatMap((i) => [put(i), get(i)]),
  ...['a', 'b', '__proto__', 'storage', 'latin1', 'f8', '<'].map((text) => string(text)),
  ...[
    ['torch._utils', '_rebuild_tensor_v2'],
    ['torch._utils', '_rebuild_tensor_v3'],
    ['torch._utils', '_rebuild_parameter'],
    ['torch._tensor', '_rebuild_from_type_v2'],
    ['torch', 'Tensor'],
    ['torch', 'FloatStorage'],
    ['torch', 'float16'],
    ['torch', 'Size'],
    ['collections', 'OrderedDict'],
    ['argparse', 'Namespace'],
    ['__builtin__', 'set'],
    ['_codecs', 'encode'],
    ['numpy', 'dtype'],
    ['numpy.core.multiarray', 'scalar'],
    ['os', 'system'],
  ].map(([module, name]) => global(module!, name!)),
  storage('0', 128),
  storage('9', 64, global('torch', 'DoubleStorage')),
  view(0, [128], [1]),
  view(127, [], []),
  view(1, [2, 3], [1, 0]),
  program('EMPTY_DICT', string('w'), view(0, [4, 4], [1, 4]), 'SETITEM'),
];

describe(`${RUNS} inputs each, seed ${SEED}`, () => {
  it.each(FUZZ_TARGETS)(
    '$name: damaged files',
    ({ seeds, tokens, run }) => {
      const inputs = fc.tuple(fc.constantFrom(...seeds), fc.nat()).map(([file, seed]) => {
        return mutate(file, new FuzzRandom(seed), tokens, seeds);
      });
      const counts = tally(inputs, run);
      expect(Object.keys(counts).length).toBeGreaterThan(3);
      expect(counts.opened ?? 0, JSON.stringify(counts)).toBeGreaterThan(RUNS / 200);
    },
    TIMEOUT,
  );

  it(
    'pickles put together of the right parts in the wrong order',
    () => {
      const pickles = fc
        .tuple(fc.boolean(), fc.array(fc.constantFrom(...PARTS), { maxLength: 8 }))
        .map(([inDict, parts]) => pickleOf(...(inDict ? (['EMPTY_DICT', string('x')] as const) : []), ...parts));
      const counts = tally(pickles, target('torch pickle').run);
      for (const reached of ['InvalidPickle', 'NoStateDict', 'RefusedGlobal']) {
        expect(counts[reached] ?? 0, `${reached} in ${JSON.stringify(counts)}`).toBeGreaterThan(RUNS / 200);
      }
      expect(counts.opened ?? 0, JSON.stringify(counts)).toBeGreaterThan(0);
    },
    TIMEOUT,
  );
});

it('the harness itself rejects an error of another type, and a tensor that does not fit', () => {
  const none = new Uint8Array(0);
  const failing = () => {
    throw new RangeError('not ours');
  };
  expect(() => outcomeOf(none, failing)).toThrow(RangeError);
  const wrong = new Map([['a', { dtype: 'int8', shape: [2], data: new Int8Array(3) } as const]]);
  expect(() => outcomeOf(none, () => wrong)).toThrow(/has 3 elements/);
});
