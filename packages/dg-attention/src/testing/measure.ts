import { peakMemory } from '@saccade/tensor-ops/profile';
import * as tf from '@tensorflow/tfjs-core';

/** Times and memory of one computation. */
export interface Measured {
  readonly wallMs: number;
  /** time that the process was really given; other programs on the machine do not lengthen it */
  readonly cpuMs: number;
  readonly runsMs: readonly number[];
  readonly peakBytes: number;
}

/** Runs each computation in turn, `runs` times after a first one that is not timed but watched; medians. */
export async function measure(
  parts: Readonly<Record<string, () => tf.TensorContainer>>,
  runs: number,
): Promise<Record<string, Measured>> {
  const once = (compute: () => tf.TensorContainer) => tf.dispose(tf.tidy(compute));
  const peaks = new Map<string, number>();
  for (const [name, compute] of Object.entries(parts)) {
    const { deviceBytes } = await peakMemory(() => once(compute));
    if (deviceBytes === undefined) throw new Error(`nobody watches the memory of ${tf.getBackend()}: measure on wasm`);
    peaks.set(name, deviceBytes);
  }
  const samples = new Map([...peaks.keys()].map((name) => [name, { wall: [] as number[], cpu: [] as number[] }]));
  for (let round = 0; round < runs; round++) {
    for (const [name, compute] of Object.entries(parts)) {
      const [start, cpu] = [performance.now(), process.cpuUsage()];
      once(compute);
      const { user, system } = process.cpuUsage(cpu);
      samples.get(name)?.wall.push(performance.now() - start);
      samples.get(name)?.cpu.push((user + system) / 1000);
    }
  }
  return Object.fromEntries(
    [...peaks].map(([name, peakBytes]) => {
      const { wall, cpu } = samples.get(name) as { wall: number[]; cpu: number[] };
      const runsMs = wall.map(rounded);
      return [name, { wallMs: rounded(median(wall)), cpuMs: rounded(median(cpu)), runsMs, peakBytes }];
    }),
  );
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}

/** The slope of the straight line through (log x, log y) with the least squares. */
export function slope(points: readonly (readonly [x: number, y: number])[]): number {
  const logs = points.map(([x, y]) => [Math.log(x), Math.log(y)] as const);
  const mean = (axis: 0 | 1) => logs.reduce((sum, point) => sum + point[axis], 0) / logs.length;
  const [meanX, meanY] = [mean(0), mean(1)];
  const products = logs.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0);
  return products / logs.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
}

function rounded(milliseconds: number): number {
  return Number(milliseconds.toFixed(2));
}
