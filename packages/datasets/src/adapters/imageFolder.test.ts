import { decodeImage } from '@saccade/media/node';
import { describe, expect, it } from 'vitest';
import { imageDataset } from '../images/imageDataset.ts';
import { fixture } from '../testing/fixtures.ts';
import { inMemory, install } from '../testing/install.ts';
import { expectPixelsOf } from '../testing/reading.ts';
import { problemOf } from '../testing/thrown.ts';
import { indexImageFolder } from './imageFolder.ts';

describe('indexImageFolder', () => {
  it('finds classes, folders and files in the order of torchvision', async () => {
    const [fox, husky] = [await fixture('fox.jpg'), await fixture('husky.jpg')];
    await using mini = await install({
      'dog/b.JPG': husky,
      'dog/a.jpeg': husky,
      'dog/notes.txt': 'no image',
      // sorted(os.walk) compares whole paths: "dog/x-y" comes before "dog/x/z".
      'dog/x/z/1.png': husky,
      'dog/x-y/1.png': husky,
      'Cat/1.webp': fox,
      'fox/10.jpg': fox,
      'fox/9.jpg': fox,
      'top.jpg': fox,
    });
    const index = await indexImageFolder(mini.files);
    expect(index.classes).toEqual(['Cat', 'dog', 'fox']);
    expect(index.entries.map(({ path, label }) => [path, label])).toEqual([
      ['Cat/1.webp', 0],
      ['dog/a.jpeg', 1],
      ['dog/b.JPG', 1],
      ['dog/x-y/1.png', 1],
      ['dog/x/z/1.png', 1],
      ['fox/10.jpg', 2],
      ['fox/9.jpg', 2],
    ]);
    const dataset = imageDataset(index, {
      files: mini.files,
      decode: decodeImage,
      transform: (image, { info }) => ({ image, name: info.id }),
    });
    const { image } = await dataset.get(5);
    expect(image.name).toBe('10');
    await expectPixelsOf(image.image, 'fox.jpg');
  });

  it('refuses a class without images, and classes that are not as told', async () => {
    const mini = inMemory({ 'a/1.jpg': '', 'b/readme.md': '' });
    expect(await problemOf(() => indexImageFolder(mini.files))).toMatchObject({ code: 'missing', argument: 'b' });
    expect((await indexImageFolder(mini.files, { allowEmpty: true })).classes).toEqual(['a', 'b']);
    expect(await problemOf(() => indexImageFolder(mini.files, { classes: ['a'] }))).toMatchObject({ code: 'labels' });
    expect(await problemOf(() => indexImageFolder(mini.files, { folder: 'c' }))).toMatchObject({ code: 'missing' });
    expect(await problemOf(() => indexImageFolder(mini.files, { folder: '../a' }))).toMatchObject({ code: 'path' });
    const classes = ['b', 'missing', 'a'];
    const subset = await indexImageFolder(mini.files, { classes, allowEmpty: true });
    expect(subset.entries).toEqual([{ id: '1', path: 'a/1.jpg', label: 2 }]);
    const empty = inMemory({ 'a/readme.md': '' });
    expect((await problemOf(() => indexImageFolder(empty.files, { allowEmpty: true }))).code).toBe('missing');
  });
});

describe('imageDataset with files that cannot be read', () => {
  const broken = async () => ({
    'a/1.jpg': await fixture('fox.jpg'),
    'a/2.jpg': (await fixture('fox.jpg')).slice(0, 900),
    'a/3.jpg': 'no image at all',
    'b/4.jpg': await fixture('husky.jpg'),
    'b/5.jpg': await fixture('husky.jpg'),
  });

  it.each(['throw', 'skip', 'substitute'] as const)('loses nothing silently (%s)', async (onError) => {
    await using mini = await install(await broken());
    const index = await indexImageFolder(mini.files);
    const { 'b/5.jpg': _, ...rest } = await broken();
    await using later = await install(rest);
    const dataset = imageDataset(index, { files: later.files, decode: decodeImage, onError });
    const outcomes: string[] = [];
    for (let i = 0; i < dataset.length; i++) {
      const sample = await dataset.tryGet(i).catch((error: unknown) => error as Error);
      if (sample === undefined) outcomes.push('skipped');
      else if (sample instanceof Error) outcomes.push((await problemOf(() => Promise.reject(sample))).code);
      else outcomes.push(sample.standsInFor === undefined ? sample.id : `${sample.id} for ${sample.standsInFor}`);
    }
    expect(outcomes).toEqual(
      {
        throw: ['1', 'sample', 'sample', '4', 'missing'],
        skip: ['1', 'skipped', 'skipped', '4', 'skipped'],
        substitute: ['1', '4 for 1', '4 for 2', '4', '1 for 4'],
      }[onError],
    );
    const { report } = dataset;
    expect(new Set(report.failures.map(({ info }) => info.path))).toEqual(new Set(['a/2.jpg', 'a/3.jpg', 'b/5.jpg']));
    // Under `substitute`, 3 fails once for itself and once in place of 2.
    expect([report.count, report.skipped, report.substituted]).toEqual(
      { throw: [3, 0, 0], skip: [3, 3, 0], substitute: [4, 0, 3] }[onError],
    );
  });

  it('does not take a missing package or a wrong option for a damaged file', async () => {
    await using mini = await install(await broken());
    const dataset = imageDataset(await indexImageFolder(mini.files), {
      files: mini.files,
      decode: (bytes, options) => decodeImage(bytes, { ...options, decoder: 'native' }),
      onError: 'skip',
    });
    await expect(dataset.tryGet(0)).rejects.toMatchObject({ name: 'DecodeError', code: 'InvalidArgument' });
    expect(dataset.report.count).toBe(0);
  });
});
