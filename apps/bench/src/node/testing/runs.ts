import fc from 'fast-check';
import type { Ratio, Row } from '../../core/row.ts';
import type { DeviceLine, RunHeader, RunLine } from '../../core/run.ts';

export const HEADER: RunHeader = {
  kind: 'run',
  schema: 1,
  home: 'node',
  date: '2026-01-02T03:04:05.678Z',
  machine: { processor: 'AMD EPYC 9554 64-Core Processor', cores: 2, memory: 2 ** 34, system: 'linux x64' },
  versions: { node: '20.19.0' },
  commit: 'abc+',
  scale: 'full',
  options: { backends: ['wasm'], peers: true, samples: 20 },
};

export const DEVICE: DeviceLine = {
  kind: 'device',
  backend: 'wasm',
  softwareGpu: false,
  description: 'AMD EPYC (wasm, SIMD)',
  features: ['simd'],
  roofline: { flopsPerSecond: 1e10, bytesPerSecond: 1e9, dispatchMs: 0.01 },
};

/** A ratio with an interval of ± `spread` of it. */
export function ratio(value: number, spread = 0.02): Ratio {
  return { value, interval: [value * (1 - spread), value * (1 + spread)] };
}

export function row(more: Partial<Row> = {}): Row {
  return {
    kind: 'row',
    suite: 'operators',
    comparison: 'attention',
    parameters: { tokens: 784 },
    contender: 'fused',
    role: 'saccade',
    backend: 'wasm',
    softwareGpu: false,
    status: 'measured',
    check: { against: 'explicit path', error: 1e-7, tolerance: 1e-5 },
    wallMs: { median: 2, quartiles: [1.9, 2.1], interval: [1.8, 2.2] },
    samplesMs: [2, 1.9, 2.1],
    runsPerSample: 3,
    baseline: 'composed',
    timeRatio: ratio(0.5),
    cpuRatio: ratio(0.5),
    memoryRatio: 0.25,
    peakTensorBytes: 1024,
    cost: { macs: 1e6, bytes: 1e5 },
    roofline: { flopsPerSecond: 1e9, attainableFlopsPerSecond: 1e10, percent: 10, limit: 'compute' },
    ...more,
  };
}

/** The row that {@link row} refers to. */
export function baselineRow(more: Partial<Row> = {}): Row {
  const one = { value: 1, interval: [1, 1] } as const;
  return row({ contender: 'composed', role: 'peer', timeRatio: one, cpuRatio: one, memoryRatio: 1, ...more });
}

export function runOf(...lines: readonly RunLine[]): RunLine[] {
  return [HEADER, DEVICE, ...lines];
}

const anyRatio = fc
  .tuple(fc.double({ min: 0.01, max: 100, noNaN: true }), fc.double({ min: 0, max: 0.5, noNaN: true }))
  .map(([value, spread]) => ratio(value, spread));

/** Runs of a few comparisons, with rows of every status, ours and others', relative to ours and to others'. */
export const anyRun: fc.Arbitrary<RunLine[]> = fc
  .array(
    fc.record({
      status: fc.constantFrom('measured' as const, 'measured' as const, 'wrong' as const, 'absent' as const),
      role: fc.constantFrom('saccade' as const, 'peer' as const),
      base: fc.constantFrom('saccade' as const, 'peer' as const),
      timeRatio: anyRatio,
      cpuRatio: anyRatio,
      memoryRatio: fc.double({ min: 0.01, max: 100, noNaN: true }),
    }),
    { minLength: 1, maxLength: 8 },
  )
  .map((rows) =>
    runOf(
      ...rows.flatMap(({ status, role, base, ...ratios }, i) => [
        status === 'measured'
          ? row({ comparison: `c${i}`, role, ...ratios })
          : untimed({ comparison: `c${i}`, role, status }),
        baselineRow({ comparison: `c${i}`, role: base }),
      ]),
    ),
  );

/** A row without times. */
export function untimed({ status = 'failed', reason = 'it did not work', ...more }: Partial<Row>): Row {
  const { suite, comparison, parameters, contender, role, backend, softwareGpu } = row(more);
  const known = { suite, comparison, parameters, contender, role, backend, softwareGpu };
  return { kind: 'row', ...known, status, reason };
}
