import { resize } from '@saccade/media';
import { decodeImage } from '@saccade/media/node';
import { describe, expect, it } from 'vitest';
import { indexAde20k } from '../adapters/ade20k.ts';
import { fixture } from '../testing/fixtures.ts';
import { inMemory, install } from '../testing/install.ts';
import { ade20k } from '../testing/miniatures/images.ts';
import { expectPixelsOf } from '../testing/reading.ts';
import { problemOf } from '../testing/thrown.ts';
import { labelMap } from './labelMap.ts';
import { segmentationDataset } from './segmentationDataset.ts';

const ROOT = 'ADEChallengeData2016';

describe('indexAde20k', () => {
  it('pairs images with annotations, and knows objects and scenes', async () => {
    await using mini = await install(await ade20k());
    const index = await indexAde20k(mini.files, { split: 'training' });
    expect(index.classes).toHaveLength(150);
    expect([index.classes[9], index.classes[0]]).toEqual(['grass', 'object 1']);
    expect(index.entries).toEqual([
      {
        id: 'ADE_train_00000001',
        path: `${ROOT}/images/training/ADE_train_00000001.jpg`,
        mask: `${ROOT}/annotations/training/ADE_train_00000001.png`,
        label: -1,
        scene: 'forest_path',
      },
    ]);
    expect(index.absent.map(({ id }) => id)).toEqual(['ADE_train_00000002']);
    const { [`${ROOT}/sceneCategories.txt`]: _, ...rest } = await ade20k();
    await using without = await install(rest);
    expect((await indexAde20k(without.files, { split: 'validation' })).entries[0]?.scene).toBeUndefined();
  });

  it.each([
    ['objectInfo150.txt', 'Number\tName\n1\twall', 'line 1', 'annotation'],
    ['objectInfo150.txt', 'Idx\tName\n1\twall\n3\tsky', 'line 3', 'annotation'],
    ['objectInfo150.txt', 'Idx\tName\n151\twall', 'line 2', 'labels'],
    ['objectInfo150.txt', 'Idx\tName\n1\twall', 'objectInfo150.txt', 'labels'],
    ['sceneCategories.txt', 'ADE_train_00000001', 'line 1', 'annotation'],
  ])('refuses %s with %j', async (name, text, place, code) => {
    const mini = inMemory({ ...(await ade20k()), [`${ROOT}/${name}`]: text });
    const problem = await problemOf(() => indexAde20k(mini.files, { split: 'training' }));
    expect(problem.code).toBe(code);
    expect(problem.argument).toContain(place);
  });
});

describe('segmentationDataset', () => {
  it('ignores 0 and counts objects from 0, as mmseg with reduce_zero_label', async () => {
    await using mini = await install(await ade20k());
    const index = await indexAde20k(mini.files, { split: 'training' });
    const sample = await segmentationDataset(index, { files: mini.files, decode: decodeImage }).get(0);
    await expectPixelsOf(sample.image, 'fox.jpg');
    expect(sample).not.toHaveProperty('mask.path');
    const raw = await decodeImage(await fixture('fox_mask.png'), { channels: 1 });
    const counts = (data: Uint8Array) =>
      Object.fromEntries(
        [...new Set(data)].sort((a, b) => a - b).map((v) => [v, data.filter((one) => one === v).length]),
      );
    const before = counts(raw.data);
    expect(Object.keys(before)).toEqual(['0', '10', '127']);
    expect(counts(sample.mask.data)).toEqual({ 9: before[10], 126: before[127], 255: before[0] });
    expect(sample.mask).toMatchObject({ width: 64, height: 64, channels: 1 });
    const small = resize(sample.mask, { width: 32, height: 32, filter: 'nearest' });
    expect(new Set(small.data)).toEqual(new Set([9, 126, 255]));
    expect(index.classes[126]).toBe('animal, animate being, beast, brute, creature, fauna');
  });

  it('keeps values where 0 is a class, and lets a transform see both', async () => {
    await using mini = await install(await ade20k());
    const index = await indexAde20k(mini.files, { split: 'training' });
    const dataset = segmentationDataset(index, {
      files: mini.files,
      decode: decodeImage,
      zero: 'class',
      transform: ({ image, mask }, { info }) => ({ pixels: image.data.length, labels: mask.data, name: info.scene }),
    });
    const sample = await dataset.get(0);
    expect(sample).toMatchObject({ pixels: 64 * 64 * 3, name: 'forest_path', scene: 'forest_path', index: 0 });
    expect(new Set(sample.labels)).toEqual(new Set([0, 10, 127]));
  });

  it('counts label images that do not fit as unreadable', async () => {
    await using mini = await install({
      ...(await ade20k()),
      // A colour image has no labels.
      [`${ROOT}/annotations/training/ADE_train_00000001.png`]: await fixture('fox.jpg'),
    });
    const index = await indexAde20k(mini.files, { split: 'training' });
    const dataset = segmentationDataset(index, { files: mini.files, decode: decodeImage, onError: 'skip' });
    expect(await dataset.tryGet(0)).toBeUndefined();
    expect(dataset.report.failures[0]?.error).toMatchObject({ code: 'sample' });
  });
});

describe('labelMap', () => {
  const image = { data: new Uint8Array(12), width: 2, height: 2, channels: 3 };
  const map = (values: number[], zero: 'ignore' | 'class', width = 2) =>
    labelMap({ data: Uint8Array.from(values), width, height: values.length / width, channels: 1 }, image, {
      classes: 3,
      zero,
      path: 'mask.png',
    }).data;

  it('moves values', () => {
    expect([...map([0, 1, 3, 255], 'ignore')]).toEqual([255, 0, 2, 255]);
    expect([...map([0, 1, 2, 255], 'class')]).toEqual([0, 1, 2, 255]);
  });

  it('refuses values that are no class, and other sizes', async () => {
    expect(await problemOf(() => map([0, 1, 4, 0], 'ignore'))).toMatchObject({
      code: 'sample',
      actual: '4 at pixel 0, 1',
    });
    expect((await problemOf(() => map([0, 3, 0, 0], 'class'))).actual).toBe('3 at pixel 1, 0');
    expect((await problemOf(() => map([0, 1], 'class', 1))).expected).toContain('2 x 2 pixels');
  });
});
