import { Rng } from '@saccade/tensor-ops';
import type { Row, RowStatus } from '../../core/row.ts';
import type { DeviceLine, Roofline, RunHeader, RunLine, SlopeLine } from '../../core/run.ts';
import { pairedRatio, spread } from '../../core/statistics.ts';

/** Lines of a run that never was, to try the report on. */
export function madeUpRun(): RunLine[] {
  const wasm = { backend: 'wasm', softwareGpu: false };
  const software = { backend: 'webgpu', softwareGpu: true };
  return [
    madeUpHeader(),
    madeUpDevice(wasm),
    madeUpDevice({ ...software, description: 'SwiftShader driver 5.0.0' }),
    ...operatorRows(wasm),
    ...operatorRows(software),
    ...networkRows(wasm),
    ...bundleRows(),
    ...slopes(wasm),
    ...slopes(software),
  ];
}

export function madeUpHeader(given: Partial<RunHeader> = {}): RunHeader {
  return {
    kind: 'run',
    schema: 1,
    home: 'node',
    date: '2026-11-22T10:00:00Z',
    machine: { processor: 'Imaginary 9000', cores: 2, memory: 8 * 2 ** 30, system: 'linux 6.1 x64' },
    versions: { node: '20.19.0', '@tensorflow/tfjs-core': '4.22.0', 'onnxruntime-web': '1.30.0' },
    commit: '0123abc+',
    scale: 'full',
    options: { backends: ['wasm', 'webgpu'], seed: 1, peers: true },
    ...given,
  };
}

export function madeUpDevice(given: Partial<DeviceLine> = {}): DeviceLine {
  const roofline: Roofline = { flopsPerSecond: 4e10, bytesPerSecond: 1e10, dispatchMs: 0.05 };
  return {
    kind: 'device',
    backend: 'wasm',
    softwareGpu: false,
    description: 'Imaginary 9000 (wasm, SIMD)',
    features: ['simd', 'threads: 1'],
    roofline,
    ...given,
  };
}

const EXPLICIT = 'plain attention (explicit)';

/** What a row is made of. */
export interface MadeUpRow extends Partial<Row> {
  /** milliseconds around which samples are drawn; none for rows without a time */
  readonly around?: number;
}

/** A row, with samples, intervals and ratios that belong together. */
export function madeUpRow({ around, ...given }: MadeUpRow, baseline?: readonly number[] | 'itself'): Row {
  const rng = new Rng(Math.round(1000 * (around ?? 0)) + 1);
  const samplesMs =
    around === undefined ? undefined : Array.from({ length: 20 }, () => around * rng.uniform(0.95, 1.05));
  const baselineSamples = baseline === 'itself' ? samplesMs : baseline;
  const times = samplesMs && {
    check: { against: 'explicit path', error: 3e-7, tolerance: 1e-5 },
    wallMs: spread(samplesMs),
    cpuMs: spread(samplesMs),
    samplesMs,
    runsPerSample: 1,
    compileMs: 4 * (around as number),
    peakTensorBytes: 1e6,
    ...(baselineSamples && {
      baseline: EXPLICIT,
      timeRatio: pairedRatio(samplesMs, baselineSamples),
      cpuRatio: pairedRatio(samplesMs, baselineSamples),
      memoryRatio: 0.5,
    }),
  };
  return {
    kind: 'row',
    suite: 'operators',
    comparison: 'attention/n784-d64-b1/forward',
    parameters: { tokens: 784, headDim: 64, batch: 1, direction: 'forward' },
    contender: EXPLICIT,
    role: 'saccade',
    backend: 'wasm',
    softwareGpu: false,
    status: 'measured',
    ...times,
    ...given,
  };
}

/** A row without a time. */
export function madeUpRefusal(status: Exclude<RowStatus, 'measured'>, given: Partial<Row> = {}): Row {
  const reasons = {
    wrong: 'off by 2.0e-1 of the largest value from explicit path, allowed 1.0e-5',
    failed: 'no such kernel',
    skipped: 'the scores alone would need 4.7 GiB',
    absent: 'python3 has no module torch',
  };
  return madeUpRow({ contender: `${status} one`, status, reason: reasons[status], ...given });
}

type Place = Pick<Row, 'backend' | 'softwareGpu'>;

const SIZES = [49, 196, 784, 1568, 3136, 12544];

const OPERATORS = [
  { contender: EXPLICIT, role: 'saccade', slope: 2, at: 2 },
  { contender: 'plain attention (fused)', role: 'saccade', slope: 2, at: 1.4 },
  { contender: 'LiSA', role: 'saccade', slope: 1.1, at: 5 },
  { contender: 'DG-Attention', role: 'saccade', slope: 0.9, at: 3 },
  { contender: 'onnxruntime-web', role: 'peer', slope: 2, at: 0.9 },
] as const;

function operatorRows(place: Place): Row[] {
  return (['forward', 'forward+backward'] as const).flatMap((direction) =>
    [32, 64].flatMap((headDim) => SIZES.flatMap((tokens) => operatorsAt(tokens, headDim, direction, place))),
  );
}

function operatorsAt(tokens: number, headDim: number, direction: string, place: Place): Row[] {
  const parameters = { tokens, headDim, batch: 1, direction };
  const comparison = `attention/n${tokens}-d${headDim}-b1/${direction}`;
  const rows: Row[] = [];
  for (const { contender, role, slope, at } of OPERATORS) {
    const frame = { ...place, comparison, parameters, contender, role };
    if (tokens > 10_000 && slope === 2) {
      rows.push(madeUpRefusal('skipped', frame));
      continue;
    }
    const around = (at + headDim / 64) * (tokens / 196) ** slope * (direction === 'forward' ? 1 : 3);
    const macs = 192 * tokens * (slope === 2 ? tokens : 400);
    const flopsPerSecond = (2 * macs) / (around / 1000);
    rows.push(
      madeUpRow(
        {
          ...frame,
          around,
          peakTensorBytes: 4 * tokens ** slope * 3,
          cost: { macs, bytes: 4 * 4 * tokens * 192 },
          roofline: { flopsPerSecond, attainableFlopsPerSecond: 4e10, percent: flopsPerSecond / 4e8, limit: 'compute' },
        },
        contender === EXPLICIT ? 'itself' : rows[0]?.samplesMs,
      ),
    );
  }
  if (tokens === 784)
    rows.push(madeUpRefusal('wrong', { ...place, comparison, parameters, contender: 'broken kernel' }));
  rows.push(
    madeUpRefusal('absent', { ...place, comparison, parameters, contender: 'PyTorch, 1 thread', role: 'peer' }),
  );
  return rows;
}

function networkRows(place: Place): Row[] {
  return ['vit-s', 'resnet50', 'dgt-t', 'tsm-resnet50'].flatMap((model, index) => {
    const frame = {
      ...place,
      suite: 'backbones',
      comparison: `peers/${model}/forward`,
      parameters: { model, batch: 1 },
    };
    const own = madeUpRow({ ...frame, contender: 'Saccade', around: 100 + 40 * index, baseline: 'Saccade' }, 'itself');
    const peer = (contender: string, around: number) =>
      madeUpRow(
        { ...frame, contender, role: 'peer', engine: `${contender} 1.30.0, 1 thread`, around, baseline: 'Saccade' },
        own.samplesMs,
      );
    return [own, peer('onnxruntime-web', 60 + 50 * index), peer('onnxruntime-node', 20)];
  });
}

function bundleRows(): Row[] {
  return ['@saccade/lisa', '@saccade/structsa'].map((contender, index) =>
    madeUpRow({
      suite: 'bundle',
      comparison: 'imports/budgets',
      parameters: { without: 'TensorFlow.js' },
      contender,
      check: { against: 'an import that runs', error: 0, tolerance: 0 },
      quantities: { rawBytes: 12_000 + 2_000 * index, gzipBytes: 5_000 },
    }),
  );
}

function slopes(place: Place): SlopeLine[] {
  return OPERATORS.flatMap(({ contender, slope }) =>
    (['wallMs', 'peakTensorBytes'] as const).map((quantity) => ({
      kind: 'slope' as const,
      suite: 'operators',
      ...place,
      contender,
      parameters: { headDim: 64, batch: 1, direction: 'forward' },
      quantity,
      slope,
      tokens: SIZES.slice(2),
    })),
  );
}
