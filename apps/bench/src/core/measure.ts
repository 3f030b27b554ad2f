import { Rng } from '@saccade/tensor-ops';
import type { Bench, Comparison, Contender, OwnTiming, PeakMemory, Prepared } from './comparison.ts';
import { rooflineShare } from './rooflineShare.ts';
import type { CheckResult, Row } from './row.ts';
import type { Roofline } from './run.ts';
import { median, pairedRatio, spread } from './statistics.ts';

/** How long and how often is measured. */
export interface MeasureOptions {
  /** least number of timed rounds */
  readonly samples: number;
  /** most rounds, for work so short that many fit into {@link steadyMs} */
  readonly mostSamples: number;
  /** milliseconds of timed rounds that a contender should at least have */
  readonly steadyMs: number;
  /** shortest sample, in milliseconds: shorter work is repeated within one */
  readonly shortestSampleMs: number;
  /** milliseconds that the least number of rounds of one contender may take; beyond, it is skipped */
  readonly budgetMs: number;
  readonly seed: number;
}

export const MEASURE: Readonly<Record<'quick' | 'full', MeasureOptions>> = {
  quick: { samples: 20, mostSamples: 60, steadyMs: 300, shortestSampleMs: 2, budgetMs: 3_000, seed: 1 },
  full: { samples: 20, mostSamples: 100, steadyMs: 1_000, shortestSampleMs: 5, budgetMs: 60_000, seed: 1 },
};

/** What of a comparison is being done. */
export interface MeasureProgress {
  readonly phase: 'prepare' | 'check' | 'measure';
  readonly contender?: string;
  /** rounds done, of `rounds` */
  readonly round?: number;
  readonly rounds?: number;
}

/** What goes on around a measurement. */
export interface MeasureContext {
  readonly bench: Bench;
  readonly options: MeasureOptions;
  readonly roofline?: Roofline;
  readonly signal?: AbortSignal;
  onProgress?(progress: MeasureProgress): void;
}

/** What is known of a contender that is right and fast enough to be timed. */
interface Entrant {
  readonly contender: Contender;
  readonly check: CheckResult;
  readonly firstMs: number;
  readonly peak: PeakMemory;
  readonly upload?: { readonly ms: number; readonly bytes: number };
  readonly runsPerSample: number;
  readonly estimateMs: number;
  readonly wall: number[];
  readonly cpu: number[];
  readonly gpu: number[];
  readonly quantities: Readonly<Record<string, number>>[];
}

/**
 * Measures one comparison: makes its tensors, checks every contender's result, and times those that are right, in turn, in
 * an order drawn anew for each round.
 *
 * A contender whose result is wrong, that throws, or that is too slow for the budget has a row that says so and no time.
 *
 * @returns a row for each contender and for each that is absent
 * @throws `signal.reason` when aborted
 */
export async function measureComparison(comparison: Comparison, context: MeasureContext): Promise<Row[]> {
  context.onProgress?.({ phase: 'prepare' });
  const prepared = await comparison.prepare(context.bench);
  try {
    return await measurePrepared(comparison, prepared, context);
  } finally {
    await prepared.dispose();
  }
}

async function measurePrepared(comparison: Comparison, prepared: Prepared, context: MeasureContext): Promise<Row[]> {
  const rows: Row[] = (prepared.absent ?? []).map(({ name, reason, status = 'absent', role = 'peer' }) => ({
    ...frame(comparison, context.bench, { name, role }),
    status,
    reason,
  }));
  const entrants: Entrant[] = [];
  for (const contender of prepared.contenders) {
    context.signal?.throwIfAborted();
    context.onProgress?.({ phase: 'check', contender: contender.name });
    const entered = await enter(contender, context);
    if ('contender' in entered) entrants.push(entered);
    else rows.push({ ...frame(comparison, context.bench, contender), ...entered });
  }
  await takeTurns(entrants, context);
  const baseline = entrants.find(({ contender }) => contender.name === prepared.baseline);
  for (const entrant of entrants) {
    rows.push({ ...frame(comparison, context.bench, entrant.contender), ...measured(entrant, baseline, context) });
  }
  return rows;
}

/** What stands in every row. */
function frame(comparison: Comparison, bench: Bench, contender: Pick<Contender, 'name' | 'role' | 'engine'>) {
  const { suite, id, parameters } = comparison;
  return {
    kind: 'row' as const,
    suite,
    comparison: id,
    parameters,
    contender: contender.name,
    role: contender.role,
    ...(contender.engine !== undefined && { engine: contender.engine }),
    backend: bench.backend,
    softwareGpu: bench.softwareGpu,
  };
}

/** What is said of a contender that is not timed. */
type Untimed = Pick<Row, 'status' | 'reason' | 'check' | 'quantities'>;

/** The first run, the check, the memory, and how long a run takes: or why there will be no time. */
async function enter(contender: Contender, { bench, options }: MeasureContext): Promise<Entrant | Untimed> {
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
    let own: OwnTiming | undefined;
    const peak = await bench.peakOf(async () => {
      own = await contender.run();
    });
    const { wallMs: estimateMs } = await timed(contender, bench);
    if (estimateMs * options.samples > options.budgetMs) return tooSlow(estimateMs, options.samples, options);
    const began = bench.now();
    const bytes = await contender.upload?.();
    const upload = bytes === undefined ? {} : { upload: { ms: bench.now() - began, bytes } };
    const repeats = own === undefined ? Math.ceil(options.shortestSampleMs / Math.max(estimateMs, 1e-3)) : 1;
    const runsPerSample = Math.min(Math.max(repeats, 1), 10_000);
    const ownPeak = own?.peakBytes;
    return {
      contender,
      check,
      firstMs,
      peak: ownPeak === undefined ? peak : { ...peak, deviceBytes: ownPeak },
      ...upload,
      runsPerSample,
      estimateMs: estimateMs * runsPerSample,
      wall: [],
      cpu: [],
      gpu: [],
      quantities: [],
    };
  } catch (error) {
    return { status: 'failed', reason: error instanceof Error ? error.message : String(error) };
  }
}

function wrong(check: CheckResult): Untimed | undefined {
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

/** All entrants once a round, each round in another order, so that nobody always runs after the same neighbour. */
async function takeTurns(entrants: readonly Entrant[], context: MeasureContext): Promise<void> {
  const { bench, options, signal } = context;
  const rng = new Rng(options.seed);
  const longest = Math.max(...entrants.map(({ estimateMs }) => estimateMs), 1e-3);
  const wanted = Math.ceil(options.steadyMs / longest);
  const rounds = entrants.length === 0 ? 0 : Math.min(Math.max(options.samples, wanted), options.mostSamples);
  for (let round = 0; round < rounds; round++) {
    context.onProgress?.({ phase: 'measure', round, rounds });
    for (const place of rng.shuffle(entrants.map((_, place) => place))) {
      signal?.throwIfAborted();
      await sample(entrants[place] as Entrant, bench);
    }
  }
  if (rounds > 0) context.onProgress?.({ phase: 'measure', round: rounds, rounds });
}

async function sample(entrant: Entrant, bench: Bench): Promise<void> {
  const { contender, runsPerSample } = entrant;
  const { wallMs, cpuMs, quantities } = await timed(contender, bench, runsPerSample);
  entrant.wall.push(wallMs);
  if (cpuMs !== undefined) entrant.cpu.push(cpuMs);
  if (quantities !== undefined) entrant.quantities.push(quantities);
  if (contender.dispatch !== undefined && bench.gpuTime !== undefined) {
    entrant.gpu.push(await bench.gpuTime(() => contender.dispatch?.()));
  }
}

/** Milliseconds of one run, as a mean over `runs`; by the contender's own clock where it has one. */
async function timed(contender: Contender, bench: Bench, runs = 1): Promise<OwnTiming> {
  const [began, used] = [bench.now(), bench.cpu?.()];
  let own: OwnTiming | undefined;
  for (let run = 0; run < runs; run++) own = await contender.run();
  const [ended, usedNow] = [bench.now(), bench.cpu?.()];
  if (own !== undefined) return own;
  const cpuMs = used === undefined || usedNow === undefined ? undefined : (usedNow - used) / runs;
  return { wallMs: (ended - began) / runs, ...(cpuMs !== undefined && { cpuMs }) };
}

function measured(entrant: Entrant, baseline: Entrant | undefined, { roofline }: MeasureContext) {
  const { contender, check, firstMs, peak, upload, runsPerSample, wall, cpu, gpu, quantities } = entrant;
  const wallMs = spread(wall);
  const hasCpu = cpu.length === wall.length;
  const share =
    contender.cost === undefined || roofline === undefined || contender.role === 'peer'
      ? undefined
      : rooflineShare(contender.cost, gpu.length > 0 ? spread(gpu).median : wallMs.median, roofline);
  const compared = baseline !== undefined && {
    baseline: baseline.contender.name,
    timeRatio: pairedRatio(wall, baseline.wall),
    ...(hasCpu && baseline.cpu.length === wall.length && { cpuRatio: pairedRatio(cpu, baseline.cpu) }),
    ...memoryRatio(peak, baseline.peak),
  };
  return {
    status: 'measured' as const,
    check,
    wallMs,
    ...(hasCpu && { cpuMs: spread(cpu) }),
    ...(gpu.length > 0 && { gpuMs: spread(gpu) }),
    samplesMs: wall,
    runsPerSample,
    ...compared,
    compileMs: Math.max(firstMs - wallMs.median, 0),
    ...(upload && { uploadMs: upload.ms, uploadBytes: upload.bytes }),
    peakTensorBytes: peak.tensorBytes,
    ...(peak.deviceBytes !== undefined && { peakDeviceBytes: peak.deviceBytes }),
    ...(contender.cost && { cost: contender.cost }),
    ...(share && { roofline: share }),
    ...(quantities.length > 0 && { quantities: medians(quantities) }),
  };
}

function medians(samples: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const names = Object.keys(samples[0] ?? {});
  return Object.fromEntries(names.map((name) => [name, median(samples.map((sample) => sample[name] as number))]));
}

function memoryRatio(own: PeakMemory, baseline: PeakMemory): { memoryRatio?: number } {
  const bytes = (peak: PeakMemory) => peak.deviceBytes ?? peak.tensorBytes;
  return bytes(own) > 0 && bytes(baseline) > 0 ? { memoryRatio: bytes(own) / bytes(baseline) } : {};
}
