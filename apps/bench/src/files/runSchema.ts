import * as v from 'valibot';
import type { RunLine } from '../core/run.ts';
import { SCHEMA } from '../core/run.ts';

// Results may come from anybody, and end up in tables and reports: nothing gets in that is not as it should be.

const text = v.pipe(v.string(), v.maxLength(4_000));
const name = v.pipe(v.string(), v.minLength(1), v.maxLength(400));
const finite = v.pipe(v.number(), v.finite());
const amount = v.pipe(finite, v.minValue(0));
const positive = v.pipe(finite, v.gtValue(0));
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const few = <T extends v.GenericSchema>(schema: T) => v.pipe(v.array(schema), v.maxLength(1_000));
const interval = v.pipe(
  v.tuple([amount, amount]),
  v.check(([low, high]) => low <= high, 'the lower end is above the upper one'),
);
const namedNumbers = v.record(name, finite);
const versions = v.record(name, text);
const parameters = v.record(name, v.union([text, finite]));

const Spread = v.object({ median: amount, quartiles: interval, interval });
const Ratio = v.object({ value: amount, interval });
const Roofline = v.object({ flopsPerSecond: positive, bytesPerSecond: positive, dispatchMs: amount });
const Machine = v.object({ processor: text, cores: count, memory: v.exactOptional(amount), system: text });

const Header = v.object({
  kind: v.literal('run'),
  schema: v.literal(SCHEMA),
  home: v.picklist(['node', 'browser']),
  date: v.pipe(v.string(), v.isoTimestamp()),
  machine: Machine,
  versions,
  commit: v.exactOptional(text),
  scale: v.picklist(['quick', 'full']),
  options: v.record(name, v.union([text, finite, v.boolean(), few(text)])),
});

const Device = v.object({
  kind: v.literal('device'),
  backend: name,
  softwareGpu: v.boolean(),
  description: text,
  features: few(text),
  roofline: v.exactOptional(Roofline),
  versions: v.exactOptional(versions),
});

const Measured = {
  wallMs: v.exactOptional(Spread),
  cpuMs: v.exactOptional(Spread),
  gpuMs: v.exactOptional(Spread),
  samplesMs: v.exactOptional(v.pipe(v.array(amount), v.maxLength(100_000))),
  runsPerSample: v.exactOptional(count),
  baseline: v.exactOptional(name),
  timeRatio: v.exactOptional(Ratio),
  cpuRatio: v.exactOptional(Ratio),
  memoryRatio: v.exactOptional(positive),
};

const Row = v.pipe(
  v.object({
    kind: v.literal('row'),
    suite: name,
    comparison: name,
    parameters,
    contender: name,
    role: v.picklist(['saccade', 'peer']),
    engine: v.exactOptional(text),
    backend: name,
    softwareGpu: v.boolean(),
    status: v.picklist(['measured', 'wrong', 'failed', 'skipped', 'absent']),
    reason: v.exactOptional(text),
    check: v.exactOptional(v.object({ against: text, error: amount, tolerance: amount })),
    ...Measured,
    compileMs: v.exactOptional(amount),
    uploadMs: v.exactOptional(amount),
    uploadBytes: v.exactOptional(amount),
    peakTensorBytes: v.exactOptional(amount),
    peakDeviceBytes: v.exactOptional(amount),
    cost: v.exactOptional(
      v.object({
        params: v.exactOptional(amount),
        macs: v.exactOptional(amount),
        bytes: v.exactOptional(amount),
      }),
    ),
    roofline: v.exactOptional(
      v.object({
        flopsPerSecond: amount,
        attainableFlopsPerSecond: positive,
        percent: amount,
        limit: v.picklist(['compute', 'bandwidth']),
      }),
    ),
    quantities: v.exactOptional(namedNumbers),
  }),
  v.forward(
    v.check((row) => row.status === 'measured' || !hasTimes(row), 'only what was measured has times'),
    ['status'],
  ),
);

const Slope = v.object({
  kind: v.literal('slope'),
  suite: name,
  backend: name,
  softwareGpu: v.boolean(),
  contender: name,
  parameters,
  quantity: v.picklist(['wallMs', 'cpuMs', 'gpuMs', 'peakTensorBytes', 'peakDeviceBytes']),
  slope: finite,
  tokens: few(positive),
});

/** One line of a file of results. Fields that nobody knows are dropped. */
export const RunLineSchema = v.variant('kind', [Header, Device, Row, Slope]) satisfies v.GenericSchema<
  unknown,
  RunLine
>;

function hasTimes(row: { readonly [name in keyof typeof Measured]?: unknown }): boolean {
  return Object.keys(Measured).some((name) => row[name as keyof typeof Measured] !== undefined);
}
