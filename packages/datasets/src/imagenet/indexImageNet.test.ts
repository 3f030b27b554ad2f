import { decodeImage } from '@saccade/media/node';
import { describe, expect, it } from 'vitest';
import { imageDataset } from '../images/imageDataset.ts';
import { type Installation, inMemory, install } from '../testing/install.ts';
import { imageNet } from '../testing/miniatures/images.ts';
import { expectPixelsOf } from '../testing/reading.ts';
import { problemOf } from '../testing/thrown.ts';
import { type ImageNetLayout, type ImageNetOptions, indexImageNet } from './indexImageNet.ts';
import { readSynsets } from './synsets.ts';

const DEVKIT = 'ILSVRC2012_devkit_t12/data';
const MAT = { path: `${DEVKIT}/meta.mat`, format: 'mat' } as const;
const GROUND_TRUTH = `${DEVKIT}/ILSVRC2012_validation_ground_truth.txt`;
const VAL: readonly [ImageNetOptions & ImageNetLayout, string][] = [
  [{ layout: 'devkit', folder: 'val', groundTruth: GROUND_TRUTH, synsets: MAT }, 'meta.mat'],
  [
    {
      layout: 'devkit',
      folder: 'val',
      groundTruth: GROUND_TRUTH,
      synsets: { path: 'map_clsloc.txt', format: 'clsloc' },
    },
    'map_clsloc.txt',
  ],
  [
    { layout: 'list', folder: 'val', list: 'caffe/val.txt', synsets: { path: 'synset_words.txt', format: 'words' } },
    'the list',
  ],
];

/** The miniature with some files changed. */
async function changed(change: Installation) {
  return inMemory({ ...(await imageNet()), ...change });
}

describe('indexImageNet', () => {
  it('reads folders, whose labels are the sorted WordNet ids', async () => {
    await using mini = await install(await imageNet());
    const index = await indexImageNet(mini.files, { layout: 'folders', folder: 'train', synsets: MAT });
    expect(index.classes).toEqual([
      'Australian terrier',
      'English setter',
      'Siberian husky',
      'kit fox, Vulpes macrotis',
    ]);
    expect(index.entries.map(({ id, label }) => [id, label])).toEqual([
      ['n02096294_3', 0],
      ['n02100735_1', 1],
      ['n02110185_7', 2],
      ['n02119789_12', 3],
      ['n02119789_2', 3],
    ]);
    const dataset = imageDataset(index, { files: mini.files, decode: decodeImage });
    const pictures = ['terrier', 'setter', 'husky', 'fox', 'fox'];
    for (const [i, picture] of pictures.entries()) {
      const { image, path } = await dataset.get(i);
      await expectPixelsOf(image, `${picture}.jpg`);
      expect(path).toBe(index.entries[i]?.path);
    }
  });

  it.each(VAL)('reads the validation set, labels from %#', async (options) => {
    await using mini = await install(await imageNet());
    const index = await indexImageNet(mini.files, options);
    // The ids 1, 4, 2, 3 of the ground truth: taken for labels they would all be wrong.
    expect(index.entries.map(({ label }) => label)).toEqual([3, 0, 1, 2]);
    expect(index.absent).toEqual([]);
    const dataset = imageDataset(index, { files: mini.files, decode: decodeImage });
    for (const [i, picture] of ['fox', 'terrier', 'setter', 'husky'].entries()) {
      const { image, label } = await dataset.get(i);
      await expectPixelsOf(image, `${picture}.jpg`);
      expect(index.classes[label]?.toLowerCase()).toContain(picture);
    }
  });

  it('reports images that the list names and the folder lacks', async () => {
    const { 'val/ILSVRC2012_val_00000003.JPEG': _, ...rest } = await imageNet();
    const mini = inMemory(rest);
    for (const [options] of VAL) {
      const { entries, absent } = await indexImageNet(mini.files, options);
      expect(entries).toHaveLength(3);
      expect(absent).toEqual([{ id: 'ILSVRC2012_val_00000003', path: 'val/ILSVRC2012_val_00000003.JPEG', label: 1 }]);
    }
  });

  it('refuses an incomplete set of folders unless it knows the classes', async () => {
    const mini = inMemory(await imageNet());
    const problem = await problemOf(() => indexImageNet(mini.files, { layout: 'folders', folder: 'train' }));
    expect(problem).toMatchObject({ code: 'labels', expected: '1000 folders, one a class', actual: '4' });
  });

  it('takes classes without images, but no folder that is no class', async () => {
    const { 'train/n02110185/n02110185_7.JPEG': _, ...rest } = await imageNet();
    const mini = inMemory(rest);
    const options = { layout: 'folders', folder: 'train', synsets: MAT } as const;
    expect((await indexImageNet(mini.files, options)).entries.map(({ label }) => label)).toEqual([0, 1, 3, 3]);
    const extra = await changed({ 'train/n99999999/x.JPEG': '' });
    expect(await problemOf(() => indexImageNet(extra.files, options))).toMatchObject({
      code: 'labels',
      argument: 'train/n99999999',
    });
  });

  it.each([
    ['caffe/val.txt', 'a.JPEG 3\nb.JPEG 4', 'line 2', 'labels'],
    ['caffe/val.txt', 'a.JPEG', 'line 1', 'annotation'],
    ['caffe/val.txt', 'a.JPEG\t1 2', 'line 1', 'annotation'],
    ['caffe/val.txt', 'a.JPEG -1', 'line 1', 'labels'],
    ['caffe/val.txt', '../../secret.JPEG 1', 'path', 'path'],
    ['caffe/val.txt', '/etc/passwd 1', 'path', 'path'],
    ['synset_words.txt', 'tench\n', 'line 1', 'annotation'],
    ['synset_words.txt', 'n02096294 a\nn02096294 b', 'synset_words.txt', 'annotation'],
  ])('refuses %s with %j', async (path, text, place, code) => {
    const mini = await changed({ [path]: text });
    const [options] = VAL[2] as (typeof VAL)[0];
    const problem = await problemOf(() => indexImageNet(mini.files, options));
    expect(problem.code).toBe(code);
    expect(problem.argument).toContain(place);
  });

  it('refuses ids that no class has, and synsets without ids', async () => {
    for (const id of ['5', '0', '1001', 'x', '-1']) {
      const mini = await changed({ [GROUND_TRUTH]: `1\n${id}\n` });
      const [options] = VAL[0] as (typeof VAL)[0];
      expect(await problemOf(() => indexImageNet(mini.files, options))).toMatchObject({
        code: 'labels',
        argument: `${GROUND_TRUTH}, line 2`,
      });
    }
    const mini = inMemory(await imageNet());
    const devkit = { layout: 'devkit', folder: 'val', groundTruth: GROUND_TRUTH } as const;
    expect((await problemOf(() => indexImageNet(mini.files, devkit))).code).toBe('option');
    const words = { path: 'synset_words.txt', format: 'words' } as const;
    const problem = await problemOf(() => indexImageNet(mini.files, { ...devkit, synsets: words }));
    expect(problem.code).toBe('annotation');
  });

  it('tells the ids of the devkit', async () => {
    await using mini = await install(await imageNet());
    expect((await readSynsets(mini.files, MAT)).map(({ id, wnid }) => [id, wnid])).toEqual([
      [4, 'n02096294'],
      [2, 'n02100735'],
      [3, 'n02110185'],
      [1, 'n02119789'],
    ]);
  });
});
