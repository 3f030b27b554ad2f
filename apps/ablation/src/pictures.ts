import { type LabelledImages, readIdxSet } from '@saccade/datasets';
import { nodeFiles } from '@saccade/datasets/node';
import { assertInteger, ConfigError } from '@saccade/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';
import type { Samples, TaskSamples } from './taskSamples.ts';

/** Mean and standard deviation of the grey levels of the 60,000 training pictures, of 255. */
const [MEAN, STD] = [0.286, 0.353];

/** Pictures [B, 28, 28, 1] of Fashion-MNIST, as they are: nothing is flipped, shifted or cut. */
export async function fashionSamples(directory?: string): Promise<TaskSamples> {
  if (directory === undefined) {
    const hint = 'Its home is https://github.com/zalandoresearch/fashion-mnist; the four files may stay packed.';
    throw new ConfigError('--data', 'the folder with the files of Fashion-MNIST', 'none', hint);
  }
  const { train, test } = await readIdxSet(await nodeFiles(directory), { name: 'Fashion-MNIST' });
  return {
    training: () => pictures(train, train.count),
    heldOut(count) {
      assertInteger('--samples', count, 1);
      if (count > test.count) throw new ConfigError('--samples', `at most ${test.count} test pictures`, count);
      return pictures(test, count);
    },
  };
}

function pictures({ images, labels, height, width }: LabelledImages, length: number): Samples {
  const size = height * width;
  return {
    length,
    batch(indices) {
      const values = new Float32Array(indices.length * size);
      for (const [i, index] of indices.entries()) {
        for (let p = 0; p < size; p++) values[i * size + p] = ((images[index * size + p] as number) / 255 - MEAN) / STD;
      }
      const inputs = tf.tensor4d(values, [indices.length, height, width, 1]);
      return { inputs, labels: Int32Array.from(indices, (index) => labels[index] as number) };
    },
  };
}
