import { describe, expect, it } from 'vitest';
import { FASHION_MNIST_CLASSES, readIdxSet } from './idxSet.ts';
import { clipSourceDataset, labelledImagesDataset } from './images/inMemory.ts';
import { MotionDataset } from './motion/MotionDataset.ts';
import { fixture } from './testing/fixtures.ts';
import { install } from './testing/install.ts';
import { fashionMnist } from './testing/miniatures/images.ts';
import { problemOf } from './testing/thrown.ts';

describe('readIdxSet', () => {
  it('reads Fashion-MNIST, packed and unpacked', async () => {
    await using mini = await install(await fashionMnist());
    const { train, test } = await readIdxSet(mini.files);
    for (const [part, name] of [
      [train, 'train'],
      [test, 't10k'],
    ] as const) {
      expect([part.count, part.height, part.width]).toEqual([10, 28, 28]);
      expect([...part.labels].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
      expect(Buffer.from(part.images).equals((await fixture(`fashion-${name}-images`)).subarray(16))).toBe(true);
    }
    // The first image of the train part is an ankle boot, that of the test part too (README of Fashion-MNIST).
    expect(FASHION_MNIST_CLASSES[train.labels[0] ?? -1]).toBe('Ankle boot');
    expect(FASHION_MNIST_CLASSES[test.labels[0] ?? -1]).toBe('Ankle boot');
  });

  it('names the file that is missing or damaged', async () => {
    const { 't10k-labels-idx1-ubyte': _, ...rest } = await fashionMnist();
    await using missing = await install(rest);
    expect(await problemOf(() => readIdxSet(missing.files))).toMatchObject({
      code: 'missing',
      argument: 't10k-labels-idx1-ubyte',
    });
    const packed = 'train-images-idx3-ubyte.gz';
    const whole = (await fashionMnist())[packed] as Uint8Array;
    await using cut = await install({ ...(await fashionMnist()), [packed]: whole.slice(0, 2000) });
    expect(await problemOf(() => readIdxSet(cut.files))).toMatchObject({ code: 'annotation', argument: packed });
  });
});

describe('labelledImagesDataset', () => {
  it('gives grey images with their classes', async () => {
    await using mini = await install(await fashionMnist());
    const { test } = await readIdxSet(mini.files);
    const dataset = labelledImagesDataset(test, { name: 'fashion', classes: FASHION_MNIST_CLASSES });
    const { image, label, id } = await dataset.get(3);
    expect(label).toBe(test.labels[3]);
    expect(id).toBe('3');
    expect(image).toEqual({ data: test.images.slice(3 * 784, 4 * 784), width: 28, height: 28, channels: 1 });
    const few = { name: 'fashion', classes: ['only one'] };
    expect((await problemOf(() => labelledImagesDataset(test, few))).code).toBe('labels');
    const brighter = labelledImagesDataset(test, {
      ...few,
      classes: FASHION_MNIST_CLASSES,
      transform: ({ data }) => data[400],
    });
    expect((await brighter.get(3)).image).toBe(test.images[3 * 784 + 400]);
  });
});

describe('clipSourceDataset', () => {
  it('gives the clips of the motion tasks as any other data set', async () => {
    await using mini = await install(await fashionMnist());
    const digits = await readIdxSet(mini.files);
    const source = new MotionDataset({
      digits,
      task: 'direction',
      split: 'test',
      length: 8,
      frames: 4,
      validationDigits: 2,
    });
    const dataset = clipSourceDataset(source, { name: 'direction' });
    expect(dataset.classes).toEqual(source.classes);
    const { clip, label, frames, length } = await dataset.get(5);
    const expected = source.get(5);
    expect([label, length, frames]).toEqual([expected.label, 4, [0, 1, 2, 3]]);
    expect(Buffer.concat(clip.map(({ data }) => Buffer.from(data))).equals(expected.frames)).toBe(true);
    expect(clip[0]).toMatchObject({ width: 32, height: 32, channels: 1 });
  });
});
