import * as tf from '@tensorflow/tfjs-core';
import type { Bench } from '../../core/comparison.ts';
import { leastMs } from './best.ts';

/** Milliseconds of a kernel of tfjs on a single number, where no device is waited for. */
export async function kernelLatency(bench: Bench): Promise<number> {
  const x = tf.scalar(1);
  const run = (times: number) => {
    for (let time = 0; time < times; time++) tf.neg(x).dispose();
  };
  const least = await leastMs(bench, { run, most: 100_000 });
  x.dispose();
  return least;
}
