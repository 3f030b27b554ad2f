import { MotionDataset, motionClasses, orderBlindCeiling } from '@saccade/datasets';
import { loadMnist } from '@saccade/datasets/node';
import { Rng } from '@saccade/tensor-ops';
import type { DemoReport, GalleryClip, ModelReport, StructureMap } from '../types.ts';

const NAMES = ['StructViT pico', 'Plain-attention twin'] as const;

/** A report with real clips and invented figures, to look at the page and to test it without a model. */
export async function syntheticReport(clips = 16): Promise<DemoReport> {
  const rng = new Rng(20);
  const classes = motionClasses('motion').map(({ name }) => name);
  const digits = await loadMnist();
  const data = new MotionDataset({ digits, task: 'motion', split: 'test', length: 2000, seed: 3 });
  const gallery = Array.from({ length: clips }, (_, index): GalleryClip => {
    const { frames, label, digit, speed, positions } = data.get(index);
    return {
      frames: { count: 8, height: 32, width: 32, pixels: frames },
      label,
      probabilities: [probabilities(rng, 16, label, 6), probabilities(rng, 16, (label + (index % 3)) % 16, 3)],
      note: `digit ${digit.value}, ${speed.toFixed(1)} pixels per frame`,
      ...(index % 6 === 4
        ? { maps: NAMES.map((name, model) => structureMap(`${name}, last block`, positions, model === 0)) }
        : {}),
    };
  });
  return {
    title: 'Reading motion: a structural transformer and its plain twin (invented figures)',
    task: {
      name: 'motion',
      description: [
        'A handwritten digit moves over an empty canvas. Two small video transformers must say which way it goes and how its speed changes: 16 kinds of motion. Any single frame looks the same whatever the answer.',
        'The two models differ in one operator. One compares tokens one by one, as attention does; the other reads the pattern of those comparisons around each place.',
      ],
      classes,
      orderBlindCeiling: orderBlindCeiling('motion', 8),
    },
    models: [
      model(rng, NAMES[0], 'structural self-attention', 0.93),
      model(rng, NAMES[1], 'plain self-attention', 0.71),
    ],
    gallery,
    environment: [
      ['Node', 'v20.20.2'],
      ['Processor', 'Example CPU, 2 cores'],
      ['Backend', 'wasm, 2 threads, SIMD'],
      ['Date', '2025-01-31'],
      ['Commit', '0123456789abcdef0123456789abcdef01234567'],
    ],
    method: ['Every figure on this page is invented: it shows the layout, not a result.'],
    limits: ['Invented figures have no limits.'],
    commands: ['npx --yes pnpm@10 demo', 'npx --yes pnpm@10 demo --train --seed 1'],
  };
}

function model(rng: Rng, name: string, summary: string, accuracy: number): ModelReport {
  const confusion = new Uint32Array(256);
  for (let clip = 0; clip < 2000; clip++) {
    const label = clip % 16;
    const answer = rng.uniform() < accuracy ? label : (label + 4 * rng.int(0, 3)) % 16;
    confusion[label * 16 + answer]!++;
  }
  const step = Float32Array.from({ length: 120 }, (_, i) => 10 * (i + 1));
  return {
    name,
    summary,
    parameters: accuracy > 0.8 ? 212_304 : 204_112,
    macs: accuracy > 0.8 ? 18_340_000 : 15_910_000,
    clipsPerSecond: accuracy > 0.8 ? 41.3 : 67.8,
    peakMemoryBytes: 412 * 2 ** 20,
    confusion,
    backwards: {
      asShown: { correct: Math.round(2000 * (accuracy - 0.01)), total: 2000 },
      asFilmed: { correct: Math.round(2000 * 0.25 * accuracy), total: 2000 },
    },
    shuffled: { correct: Math.round(2000 * 0.3 * accuracy), total: 2000 },
    training: {
      steps: 1200,
      seconds: 271,
      loss: {
        step,
        value: step.map((at) => 2.8 * Math.exp(-at / (300 / accuracy)) + 0.25 * (1.2 - accuracy) + rng.uniform(0, 0.1)),
      },
      accuracy: { step, value: step.map((at) => accuracy * (1 - Math.exp(-at / 300)) + rng.uniform(-0.02, 0.02)) },
    },
    seeds: [1, 2, 3].map((seed) => ({
      seed,
      correct: Math.round(2000 * (accuracy + rng.uniform(-0.02, 0.02))),
      total: 2000,
    })),
  };
}

function probabilities(rng: Rng, classes: number, favourite: number, strength: number): Float32Array {
  const weights = Float32Array.from({ length: classes }, (_, k) =>
    Math.exp(rng.normal() + (k === favourite ? strength : 0)),
  );
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}

/** A bump that follows the digit; the signed one is negative behind it. */
function structureMap(title: string, positions: Float64Array, signed: boolean): StructureMap {
  const grid = { time: signed ? 8 : 4, rows: 8, columns: 8 };
  const weights = new Float32Array(grid.time * 64);
  const distance = (a: number, b: number) => Math.min(Math.abs(a - b), 32 - Math.abs(a - b));
  const wrapped = (value: number) => ((value % 32) + 32) % 32;
  for (let t = 0; t < grid.time; t++) {
    const frame = (t * 8) / grid.time;
    for (let token = 0; token < 64; token++) {
      const dy = distance(4 * Math.floor(token / 8) + 2, wrapped(positions[2 * frame]!));
      const dx = distance(4 * (token % 8) + 2, wrapped(positions[2 * frame + 1]!));
      const bump = Math.exp(-(dy * dy + dx * dx) / 60) * 0.04;
      weights[t * 64 + token] = signed && t < 4 ? -0.6 * bump : bump;
    }
  }
  const at = grid.time / 2;
  const frame = (at * 8) / grid.time;
  const query = {
    time: at,
    row: Math.floor(wrapped(positions[2 * frame]!) / 4),
    column: Math.floor(wrapped(positions[2 * frame + 1]!) / 4),
  };
  return { title, grid, query, weights };
}
