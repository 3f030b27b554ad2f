import type { Bench } from '../../core/comparison.ts';
import type { Roofline } from '../../core/run.ts';
import { leastMs } from './best.ts';
import { kernelLatency } from './tfjsLatency.ts';

/** Numbers of one array, 128 MiB: the last cache of most processors holds less, and of any less than two such. */
const numbers = 32 * 2 ** 20;
const stepsAtOnce = 100_000;

/** Plain JavaScript on one thread, which is what tfjs' cpu backend is. Its numbers have 64 bit in registers. */
export async function measureCpu(bench: Bench): Promise<Roofline> {
  const [from, to] = [new Float32Array(numbers).fill(1), new Float32Array(numbers)];
  const copyMs = await leastMs(bench, { run: () => copy(from, to), most: 1 });
  let sum = 0;
  const run = (times: number) => {
    for (let time = 0; time < times; time++) sum += multiplyAdd(stepsAtOnce, 0.999);
  };
  const chainsMs = await leastMs(bench, { run, most: 4096 });
  if (!Number.isFinite(sum)) throw new Error('the loop of multiplications gave no number');
  return {
    bytesPerSecond: (2 * to.byteLength) / (copyMs / 1000),
    flopsPerSecond: (2 * chains * stepsAtOnce) / (chainsMs / 1000),
    dispatchMs: await kernelLatency(bench),
  };
}

function copy(from: Float32Array, to: Float32Array): void {
  for (let i = 0; i < to.length; i++) to[i] = from[i] as number;
}

const chains = 12;

/** Independent chains x := x m + 1, as many as keep the multiplier and the adder busy; the sum, so that none is left out. */
function multiplyAdd(steps: number, m: number): number {
  let [a, b, c, d, e, f] = [0, 1, 2, 3, 4, 5];
  let [g, h, i, j, k, l] = [6, 7, 8, 9, 10, 11];
  for (let step = 0; step < steps; step++) {
    a = a * m + 1;
    b = b * m + 1;
    c = c * m + 1;
    d = d * m + 1;
    e = e * m + 1;
    f = f * m + 1;
    g = g * m + 1;
    h = h * m + 1;
    i = i * m + 1;
    j = j * m + 1;
    k = k * m + 1;
    l = l * m + 1;
  }
  return a + b + c + d + e + f + g + h + i + j + k + l;
}
