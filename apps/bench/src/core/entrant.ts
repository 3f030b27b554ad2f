import type { Bench, Contender, OwnTiming, PeakMemory } from './comparison.ts';
import type { MeasureContext, MeasureOptions } from './measureOptions.ts';
import type { CheckResult, Row } from './row.ts';

/** What is known of a contender that is right and fast enough to be timed. */
export interface Entrant {
  readonly contender: Contender;
  readonly check: CheckResult;
  readonly firstMs: number;
  readonly peak: PeakMemory;
  readonly upload?: { readonly ms: number; readonly bytes: number };
  readonly runsPerSample: number;
  /** of one sample */
  readonly estimateMs: number;
  readonly wall: number[];
  readonly cpu: number[];
  readonly gpu: number[];
  readonly quantities: Readonly<Record<string, number>>[];
}

/** What is said of a contender that is not timed. */
export type Untimed = Pick<Row, 'status' | 'reason' | 'check' | 'quantities'>;

/** The first run, the check, the memory, and how long a run takes: or why there will be no time. */
export async function enter(contender: Contender, { bench, options }: MeasureContext): Promise<Entrant | Untimed> {
  try {
    if (contender.quantities !== undefined) {
      const check = await contender.check();
      return wrong(check) ?? { status: 'measured', check, quantities: await contender.quantities() };
    }
    const firstMs = (await timed(contender, bench)).wallMs;
    if (firstMs > options.budgetMs) return tooSlow(firstMs, 1, options);
    // Correctness before time: nothing after this line runs for a wrong result.
    const check = await contender.check();
    const refused = wrong(check);
    if (refused !== undefined) return refused;
    const { peak, own } = await watched(contender, bench);
    const runMs = await steadyMs(contender, bench, options);
    if (runMs * options.samples > options.budgetMs) return tooSlow(runMs, options.samples, options);
    const upload = await uploaded(contender, bench);
    const repeats = own ? 1 : Math.ceil(options.shortestSampleMs / Math.max(runMs, 1e-3));
    const runsPerSample = Math.min(Math.max(repeats, 1), 10_000);
    return {
      contender,
      check,
      firstMs,
      peak,
      ...(upload && { upload }),
      runsPerSample,
      estimateMs: runMs * runsPerSample,
      wall: [],
      cpu: [],
      gpu: [],
      quantities: [],
    };
  } catch (error) {
    return failed(error);
  }
}

export function failed(error: unknown): Untimed {
  return { status: 'failed', reason: error instanceof Error ? error.message : String(error) };
}

export function wrong(check: CheckResult): Untimed | undefined {
  if (check.error <= check.tolerance) return undefined;
  const reason = `off by ${check.error.toExponential(1)} of the largest value from ${check.against}`;
  return { status: 'wrong', reason: `${reason}, allowed ${check.tolerance.toExponential(1)}`, check };
}

function tooSlow(runMs: number, runs: number, { budgetMs }: MeasureOptions): Untimed {
  const seconds = (ms: number) => `${(ms / 1000).toPrecision(2)} s`;
  const needs =
    runs === 1 ? `its first run took ${seconds(runMs)}` : `${runs} runs would take ${seconds(runMs * runs)}`;
  return { status: 'skipped', reason: `${needs}, of ${seconds(budgetMs)} that are given (--budget)` };
}

/** The memory of one run, and whether the contender has times of its own. */
async function watched(contender: Contender, bench: Bench): Promise<{ peak: PeakMemory; own: boolean }> {
  let timing: OwnTiming | undefined;
  const peak = await bench.peakOf(async () => {
    timing = await contender.run();
  });
  const bytes = timing?.peakBytes;
  return { peak: bytes === undefined ? peak : { ...peak, deviceBytes: bytes }, own: timing !== undefined };
}

/** The least milliseconds of a few runs: the first of them fills the pools that watching the memory has emptied. */
async function steadyMs(contender: Contender, bench: Bench, { shortestSampleMs }: MeasureOptions): Promise<number> {
  let [least, total] = [Number.POSITIVE_INFINITY, 0];
  for (let run = 0; run < 10 && (run === 0 || total < shortestSampleMs); run++) {
    const { wallMs } = await timed(contender, bench);
    least = Math.min(least, wallMs);
    total += wallMs;
  }
  return least;
}

/** The second of two uploads: the first may compile the program that asks for the numbers. */
async function uploaded(contender: Contender, bench: Bench): Promise<Entrant['upload']> {
  if (contender.upload === undefined) return undefined;
  await contender.upload();
  const began = bench.now();
  const bytes = await contender.upload();
  return { ms: bench.now() - began, bytes };
}

/** Milliseconds of one run, as a mean over `runs`; by the contender's own clock where it has one. */
export async function timed(contender: Contender, bench: Bench, runs = 1): Promise<OwnTiming> {
  const [began, used] = [bench.now(), bench.cpu?.()];
  let own: OwnTiming | undefined;
  for (let run = 0; run < runs; run++) own = await contender.run();
  const [ended, usedNow] = [bench.now(), bench.cpu?.()];
  if (own !== undefined) return own;
  const cpuMs = used === undefined || usedNow === undefined ? undefined : (usedNow - used) / runs;
  return { wallMs: (ended - began) / runs, ...(cpuMs !== undefined && { cpuMs }) };
}
