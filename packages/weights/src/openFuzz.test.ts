import fc from 'fast-check';
import { expect, it } from 'vitest';
import { openWeights } from './open.ts';
import { fixtureBytes } from './testing/expectations.ts';
import { FUZZ_TARGETS } from './testing/fuzzTargets.ts';
import { FuzzRandom, mutate } from './testing/mutate.ts';
import { WeightsError } from './weightsError.ts';

/**
 * Damaged files of all formats through the front door, the decompressor of the platform included; the parsers by themselves
 * are under many more (`pnpm --filter @saccade/weights run fuzz`).
 */
const RUNS = Number(process.env.SACCADE_FUZZ_RUNS ?? 400);
const SEED = Number(process.env.SACCADE_FUZZ_SEED ?? 7);
/** The files here have some kB; the rest is for a machine that is busy. */
const SLOWEST_MS = 5000;

const tokensOf = (name: string) => FUZZ_TARGETS.find((target) => target.name === name)!.tokens;
const ZIPS = [
  ['deflated.npz', 'streamed.npz', 'stored.npz', 'mixed.npz'].map((name) => `numpy/${name}`),
  tokensOf('torch zip'),
] as const;
const GROUPS = [
  ZIPS,
  ZIPS,
  [['raw.onnx', 'external.onnx'].map((name) => `onnx/${name}`), tokensOf('onnx')],
  [['version_1.npy', 'version_3.npy'].map((name) => `numpy/${name}`), tokensOf('npy')],
] as const;

/** Opens a file and reads everything in it. Returns 'opened' or the code of the refusal. */
async function outcome(bytes: Uint8Array, shard: Uint8Array): Promise<string> {
  try {
    const file = await openWeights(bytes, { resolve: () => shard });
    for (const name of file.names) {
      const { byteLength } = file.info(name);
      expect((await file.bytes(name)).byteLength).toBe(byteLength);
      expect(byteLength).toBeLessThan(100 * bytes.length + 64 * 2 ** 20);
    }
    return 'opened';
  } catch (error) {
    if (error instanceof WeightsError) return error.code;
    throw error;
  }
}

it(
  `${RUNS} damaged files through openWeights, seed ${SEED}`,
  async () => {
    const counts: Record<string, number> = {};
    const input = fc.tuple(fc.constantFrom(...GROUPS), fc.nat(), fc.nat());
    await fc.assert(
      fc.asyncProperty(input, async ([[names, tokens], which, seed]) => {
        const seeds = names.map(fixtureBytes);
        const bytes = mutate(seeds[which % seeds.length]!, new FuzzRandom(seed), tokens, seeds);
        const start = performance.now();
        const result = await outcome(bytes, seeds[0]!);
        expect(performance.now() - start).toBeLessThan(SLOWEST_MS);
        counts[result] = (counts[result] ?? 0) + 1;
      }),
      { numRuns: RUNS, seed: SEED },
    );
    for (const reached of [
      'opened',
      'HeaderMismatch',
      'InvalidZip',
      'ChecksumMismatch',
      'InvalidProtobuf',
      'InvalidHeader',
    ]) {
      expect(counts[reached] ?? 0, `${reached} in ${JSON.stringify(counts)}`).toBeGreaterThan(0);
    }
  },
  60_000 + RUNS * 200,
);
