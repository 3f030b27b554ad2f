import type { Bench } from '../../core/comparison.ts';
import type { Roofline } from '../../core/run.ts';
import { leastMs } from './best.ts';
import { kernelLatency } from './tfjsLatency.ts';

/** Numbers of one array, 128 MiB: the last cache of most processors is smaller, and of hardly any as large as two such. */
const numbers = 32 * 2 ** 20;
/** Copied at a time, one after the other: each has long been out of the cache when its turn comes again. */
const numbersAtOnce = numbers / 8;
const stepsAtOnce = 20_000;

/** Plain JavaScript on one thread, which is what tfjs' cpu backend is. Its numbers have 64 bit in registers. */
export async function measureCpu(bench: Bench): Promise<Roofline> {
  const [from, to] = [new Float32Array(numbers).fill(1), new Float32Array(numbers)];
  let at = 0;
  const copyNext = () => {
    // How kernels copy what they do not change; loops over the numbers are several times slower.
    to.set(from.subarray(at, at + numbersAtOnce), at);
    at = (at + numbersAtOnce) % numbers;
  };
  const copyMs = await leastMs(bench, { run: copyNext, most: 1 });
  let sum = 0;
  const run = (times: number) => {
    for (let time = 0; time < times; time++) sum += multiplyAdd(stepsAtOnce, 0.999);
  };
  const chainsMs = await leastMs(bench, { run, most: 4096 });
  if (!Number.isFinite(sum)) throw new Error('the loop of multiplications gave no number');
  return {
    bytesPerSecond: (2 * 4 * numbersAtOnce) / (copyMs / 1000),
    flopsPerSecond: (2 * chains * stepsAtOnce) / (chainsMs / 1000),
    dispatchMs: await kernelLatency(bench),
  };
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
