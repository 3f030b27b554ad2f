import type { Bench } from '../../core/comparison.ts';
import type { Roofline } from '../../core/run.ts';
import { leastMs } from './best.ts';
import { ROOFLINE_MODULE_BASE64 } from './simd.generated.ts';
import { kernelLatency } from './tfjsLatency.ts';

/** The functions of assembly/roofline.ts. */
interface RooflineKernels {
  /** Copies bytes, a multiple of 64. */
  copy(from: number, to: number, bytes: number): void;
  /** Steps of 12 chains of four numbers each; their sum. */
  multiplyAdd(steps: number, m: number): number;
}

/** Of one array: the last cache of most processors is smaller, and of hardly any as large as two such. */
const bytes = 128 * 2 ** 20;
/** Copied at a time, one after the other: each has long been out of the cache when its turn comes again. */
const bytesAtOnce = bytes / 4;
const pageBytes = 65536;
const flopsPerStep = 2 * 12 * 4;
const stepsAtOnce = 20_000;

/**
 * SIMD of 128 bit on one thread, in a module and memory of its own. Multiplication and addition are two instructions, as in
 * the build of XNNPACK that tfjs ships.
 */
export async function measureWasm(bench: Bench): Promise<Roofline | undefined> {
  const binary = Uint8Array.from(atob(ROOFLINE_MODULE_BASE64), (char) => char.charCodeAt(0));
  if (!WebAssembly.validate(binary)) return undefined;
  const memory = new WebAssembly.Memory({ initial: (2 * bytes) / pageBytes });
  const { instance } = await WebAssembly.instantiate(binary, { env: { memory } });
  const { copy, multiplyAdd } = instance.exports as unknown as RooflineKernels;

  // Pages that nobody has written are all the same one, in the cache.
  new Uint8Array(memory.buffer).fill(1);
  let at = 0;
  const copyNext = () => {
    copy(at, bytes + at, bytesAtOnce);
    at = (at + bytesAtOnce) % bytes;
  };
  const copyMs = await leastMs(bench, { run: copyNext, most: 1 });
  const run = (times: number) => {
    for (let time = 0; time < times; time++) multiplyAdd(stepsAtOnce, 0.999);
  };
  const chainsMs = await leastMs(bench, { run, most: 4096 });
  return {
    bytesPerSecond: (2 * bytesAtOnce) / (copyMs / 1000),
    flopsPerSecond: (flopsPerStep * stepsAtOnce) / (chainsMs / 1000),
    dispatchMs: await kernelLatency(bench),
  };
}
