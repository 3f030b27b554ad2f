/**
 * Damaged files by the million, for every parser of this package:
 *
 *     pnpm --filter @saccade/weights run fuzz --runs 1000000
 *     pnpm --filter @saccade/weights run fuzz --runs 200000 --guided 20000 --target "torch pickle"
 *
 * Each input must open, with tensors that fit their shapes, or be refused with an error of ours. During the first
 * `--guided` inputs, coverage of the sources decides what is damaged further: whatever reached a block of code that
 * nothing before it did. An input that breaks the promise is written to a file, and the run ends with exit code 1. The
 * same seed gives the same run.
 */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { FUZZ_TARGETS, type FuzzTarget } from '../src/testing/fuzzTargets.ts';
import { FuzzRandom, mutate } from '../src/testing/mutate.ts';
import { BlockCoverage } from './coverage.ts';

/** The most time of the processor for any input of at most 64 kB. The clock would also count other programs. */
const SLOWEST_MS = 2000;
/** Inputs between two looks at the coverage, which cost as much as some hundred inputs. */
const BATCH = 500;

const folder = new URL('../src/', import.meta.url);

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '100000' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    target: { type: 'string' },
    guided: { type: 'string', default: '0' },
  },
});
const runs = Number(values.runs);
const seed = Number(values.seed);
const guided = Number(values.guided);
const targets = FUZZ_TARGETS.filter(({ name }) => values.target === undefined || name === values.target);
if (targets.length === 0 || ![runs, seed, guided].every(Number.isSafeInteger)) {
  console.error(`--target is one of: ${FUZZ_TARGETS.map(({ name }) => name).join(', ')}; the others are integers.`);
  process.exit(2);
}

interface Result {
  readonly counts: Map<string, number>;
  slowestMs: number;
  heapBytes: number;
  corpus: number;
  blocks: number;
}

/** Runs one input and counts what came of it. Throws what the target throws. */
function attempt(target: FuzzTarget, input: Uint8Array, result: Result): void {
  const start = process.cpuUsage();
  const outcome = target.run(input);
  const ms = process.cpuUsage(start).user / 1000;
  result.slowestMs = Math.max(result.slowestMs, ms);
  result.counts.set(outcome, (result.counts.get(outcome) ?? 0) + 1);
  if (ms > SLOWEST_MS) throw new Error(`took ${ms.toFixed(0)} ms`);
}

/** The inputs that reach blocks which none before them reached: found by halves, since looking is what costs time. */
function pioneers(target: FuzzTarget, inputs: readonly Uint8Array[], coverage: BlockCoverage): Uint8Array[] {
  for (const input of inputs) target.run(input);
  if (inputs.length === 1) return coverage.takeNew() ? [...inputs] : [];
  if (!coverage.peekNew()) return [];
  const middle = Math.ceil(inputs.length / 2);
  return [inputs.slice(0, middle), inputs.slice(middle)].flatMap((half) => pioneers(target, half, coverage));
}

function fuzz(target: FuzzTarget, count: number): Result {
  let coverage = guided > 0 ? new BlockCoverage(folder.href) : undefined;
  const random = new FuzzRandom(seed);
  const corpus = [...target.seeds];
  const result: Result = { counts: new Map(), slowestMs: 0, heapBytes: 0, corpus: corpus.length, blocks: 0 };
  for (const input of corpus) attempt(target, input, result);
  coverage?.takeNew();
  for (let done = 0; done < count; done += BATCH) {
    if (coverage !== undefined && done * targets.length >= guided) {
      result.blocks = coverage.size;
      coverage.stop();
      coverage = undefined;
    }
    const batch = Array.from({ length: Math.min(BATCH, count - done) }, () =>
      mutate(random.pick(corpus), random, target.tokens, corpus),
    );
    for (const input of batch) {
      try {
        attempt(target, input, result);
      } catch (error) {
        const path = join(mkdtempSync(join(tmpdir(), 'saccade-fuzz-')), 'input');
        writeFileSync(path, input);
        console.error(`${target.name}: the input ${path} breaks the parser (seed ${seed}):`);
        throw error;
      }
    }
    if (coverage?.peekNew()) corpus.push(...pioneers(target, batch, coverage));
    result.heapBytes = Math.max(result.heapBytes, process.memoryUsage().heapUsed);
  }
  result.corpus = corpus.length;
  result.blocks = coverage?.size ?? result.blocks;
  coverage?.stop();
  return result;
}

console.log(`${runs} inputs in all, ${guided} of them guided by coverage, seed ${seed}`);
for (const target of targets) {
  const count = Math.ceil(runs / targets.length);
  const start = performance.now();
  const { counts, slowestMs, heapBytes, corpus, blocks } = fuzz(target, count);
  const seconds = (performance.now() - start) / 1000;
  console.log(
    `${target.name}: ${count} inputs in ${seconds.toFixed(1)} s (${(count / seconds).toFixed(0)}/s), slowest ` +
      `${slowestMs.toFixed(0)} ms, heap at most ${(heapBytes / 2 ** 20).toFixed(0)} MiB, ${corpus} files damaged` +
      (guided > 0 ? `, ${blocks} blocks of code reached` : ''),
  );
  const sorted = [...counts].sort(([, a], [, b]) => b - a);
  console.log(`  ${sorted.map(([outcome, times]) => `${outcome} ${times}`).join(', ')}`);
}
