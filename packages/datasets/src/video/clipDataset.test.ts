import type { DecodeImage, PixelImage } from '@saccade/media';
import { decodeImage, openVideo } from '@saccade/media/node';
import { describe, expect, it } from 'vitest';
import type { SampleIndex } from '../createDataset.ts';
import type { Files } from '../files/files.ts';
import { fixture } from '../testing/fixtures.ts';
import { type Installation, inMemory } from '../testing/install.ts';
import { expectFramesOf, expectPixelsOf } from '../testing/reading.ts';
import { problemOf } from '../testing/thrown.ts';
import { clipDataset, openedClipDataset } from './clipDataset.ts';
import { type ClipEntry, countFrames, frameName } from './clipEntry.ts';
import { withViews } from './views.ts';

const FRAMES = { pattern: 'img_%05d.jpg' };

/** Folders `a` ... of the counter's frames, with those in `gone` left out. */
async function folders(names: readonly string[], gone: readonly string[] = []): Promise<Installation> {
  const images = await Promise.all([0, 1, 2, 3, 4, 5].map((k) => fixture(`counter_${k}.jpg`)));
  const all = names.flatMap((name) => images.map((bytes, k) => [`${name}/img_0000${k + 1}.jpg`, bytes] as const));
  return Object.fromEntries(all.filter(([path]) => !gone.includes(path)));
}

function indexOf(...entries: readonly Partial<ClipEntry>[]): SampleIndex<ClipEntry> {
  const full = entries.map((entry, i) => ({ id: `clip ${i}`, path: 'a', label: i, ...entry }));
  return { name: 'test', classes: ['one', 'two', 'three'], entries: full, absent: [] };
}

/** Files that count what is open. */
function counting(files: Files): { files: Files; open: () => number } {
  let open = 0;
  return {
    open: () => open,
    files: {
      ...files,
      async open(path) {
        const file = await files.open(path);
        open++;
        return { size: file.size, read: (start, end) => file.read(start, end), close: async () => void open-- };
      },
    },
  };
}

describe('clipDataset with frames', () => {
  it.each(['throw', 'skip', 'substitute'] as const)('loses no clip silently (%s)', async (onError) => {
    const count = { ...FRAMES, count: 6 };
    const { files } = inMemory(await folders(['a', 'b', 'c'], ['b/img_00004.jpg']));
    const index = indexOf({ frames: count }, { path: 'b', frames: count }, { path: 'c', frames: count });
    const sampler = (length: number) => [0, length - 3, length - 1];
    const dataset = clipDataset(index, { files, decode: decodeImage, sampler, onError });
    const outcome = dataset.tryGet(1);
    if (onError === 'throw') {
      expect(await problemOf(() => outcome)).toMatchObject({ code: 'missing', argument: 'b/img_00004.jpg' });
    } else if (onError === 'skip') expect(await outcome).toBeUndefined();
    else expect(await outcome).toMatchObject({ id: 'clip 2', label: 2, index: 2, standsInFor: 1 });
    expect(dataset.report.failures).toMatchObject([{ index: 1, info: { path: 'b' }, error: { code: 'missing' } }]);
    // The frame that is gone is not among those of another sampler.
    const other = clipDataset(index, { files, decode: decodeImage, sampler: () => [0, 5] });
    await expectPixelsOf((await other.get(1)).clip[1], 'counter_5.jpg');
  });

  it('counts frames up to the first that is missing, unless told their number', async () => {
    const { files } = inMemory(await folders(['a'], ['a/img_00004.jpg']));
    const dataset = clipDataset(indexOf({ frames: FRAMES }), { files, decode: decodeImage, sampler: () => [2] });
    expect(await dataset.get(0)).toMatchObject({ length: 3, fps: undefined });
    const none = clipDataset(indexOf({ path: 'z', frames: FRAMES }), {
      files,
      decode: decodeImage,
      sampler: () => [0],
    });
    expect(await problemOf(() => none.get(0))).toMatchObject({ code: 'sample', actual: '0 frames' });
  });

  it('reads a part of the frames, each once however often it is sampled', async () => {
    const { files } = inMemory(await folders(['a']));
    let decoded = 0;
    const decode: DecodeImage = (...args) => {
      decoded++;
      return decodeImage(...args);
    };
    const span = { unit: 'frames', start: 2, end: 5 } as const;
    const sampler = (length: number) => [length - 1, 0, 0];
    const { clip, length } = await clipDataset(indexOf({ frames: FRAMES, span }), { files, decode, sampler }).get(0);
    expect([length, decoded]).toEqual([3, 2]);
    await expectPixelsOf(clip[0], 'counter_4.jpg');
    await expectPixelsOf(clip[2], 'counter_2.jpg');
    const seconds = { ...span, unit: 'seconds' } as const;
    const timed = clipDataset(indexOf({ frames: FRAMES, span: seconds }), { files, decode, sampler });
    expect((await problemOf(() => timed.get(0))).code).toBe('option');
  });

  it.each([
    ['no frames', () => []],
    ['a frame after the end', (length: number) => [length]],
    ['a frame before the start', () => [-1]],
    ['a part of a frame', () => [0.5]],
  ])('reports a sampler that gives %s as a mistake', async (_, sampler) => {
    const { files } = inMemory(await folders(['a']));
    const options = { files, decode: decodeImage, sampler, onError: 'skip' } as const;
    const dataset = clipDataset(indexOf({ frames: FRAMES }), options);
    expect(await problemOf(() => dataset.tryGet(0))).toMatchObject({ code: 'option', argument: 'sampler' });
    expect(dataset.report.count).toBe(0);
  });

  it('says which function is missing', async () => {
    const { files } = inMemory({ ...(await folders(['a'])), 'v.mp4': await fixture('counter.mp4') });
    const sampler = () => [0];
    const frames = clipDataset(indexOf({ frames: FRAMES }), { files, openVideo, sampler });
    expect(await problemOf(() => frames.get(0))).toMatchObject({ code: 'option', argument: 'decode' });
    const videos = clipDataset(indexOf({ path: 'v.mp4' }), { files, decode: decodeImage, sampler });
    expect(await problemOf(() => videos.get(0))).toMatchObject({ code: 'option', argument: 'openVideo' });
  });
});

describe('clipDataset with videos', () => {
  it('closes what it opens, also when reading fails', async () => {
    const video = await fixture('counter.mp4');
    const { files, open } = counting(
      inMemory({ 'good.mp4': video, 'cut.mp4': video.slice(0, 5000), 'text.mp4': 'no video' }).files,
    );
    const index = indexOf({ path: 'good.mp4' }, { path: 'cut.mp4' }, { path: 'text.mp4' });
    const dataset = clipDataset(index, { files, openVideo, sampler: (length) => [length - 1], onError: 'skip' });
    expect(await dataset.tryGet(0)).toMatchObject({ length: 60, fps: 30 });
    expect([await dataset.tryGet(1), await dataset.tryGet(2)]).toEqual([undefined, undefined]);
    expect(dataset.report).toMatchObject({ count: 2, skipped: 2 });
    await expect(dataset.get(0, { signal: AbortSignal.abort('enough') })).rejects.toBe('enough');
    const bug = () => {
      throw new TypeError('a bug');
    };
    await expect(clipDataset(index, { files, openVideo, sampler: bug }).get(0)).rejects.toThrow('a bug');
    expect(open()).toBe(0);
  });

  it('tells samplers and transforms what they may need', async () => {
    const { files } = inMemory({ 'v.mp4': await fixture('counter.mp4') });
    const random = { uniform: (low: number) => low };
    const dataset = clipDataset(indexOf({}, { path: 'v.mp4' }), {
      files,
      openVideo,
      sampler: (length, { fps, random: given }) => [(fps ?? 0) / 2, given === random ? length - 1 : 0],
      transform: (frames, { info, index }) => ({ shape: [frames.length, frames[0]?.height], name: info.id, index }),
    });
    const sample = await dataset.get(1, { random });
    expect(sample.clip).toEqual({ shape: [2, 120], name: 'clip 1', index: 1 });
    expect(sample.frames).toEqual([15, 59]);
  });

  it('leaves a clip open for callers that choose frames themselves', async () => {
    const { files, open } = counting(inMemory({ 'v.mp4': await fixture('counter.mp4') }).files);
    const { source } = await openedClipDataset(indexOf({ path: 'v.mp4' }), { files, openVideo }).get(0);
    expect([source.length, open()]).toEqual([60, 1]);
    await expectFramesOf(await source.read([9, 3], undefined), 'counter.mp4', [9, 3]);
    await source.close();
    expect(open()).toBe(0);
  });
});

describe('withViews', () => {
  it('gives each clip once for each view, in the order of SlowFast', async () => {
    const { files } = inMemory(await folders(['a', 'b']));
    const index = withViews(indexOf({ frames: FRAMES }, { path: 'b', frames: FRAMES }), 2, 3);
    const dataset = clipDataset(index, {
      files,
      decode: decodeImage,
      sampler: (_, { info }) => [info.view.view],
      transform: ([frame], { info }): [PixelImage | undefined, number] => [frame, info.view.position],
    });
    expect(dataset.length).toBe(12);
    expect(index.entries.slice(0, 7).map(({ id, view }) => [id, view.view, view.position])).toEqual([
      ['clip 0', 0, 0],
      ['clip 0', 0, 1],
      ['clip 0', 0, 2],
      ['clip 0', 1, 0],
      ['clip 0', 1, 1],
      ['clip 0', 1, 2],
      ['clip 1', 0, 0],
    ]);
    const [frame, position] = (await dataset.get(10)).clip;
    await expectPixelsOf(frame, 'counter_1.jpg');
    expect(position).toBe(1);
  });
});

describe('frameName', () => {
  it('writes numbers as printf does', () => {
    expect(frameName('img_%05d.jpg', 7)).toBe('img_00007.jpg');
    expect(frameName('%06d.jpg', 1234567)).toBe('1234567.jpg');
    expect(frameName('%d.png', 7)).toBe('7.png');
    expect(countFrames(['1.png', '2.png', '4.png', 'x'], { pattern: '%d.png' })).toBe(2);
    expect(countFrames(['0.png', '1.png'], { pattern: '%d.png', first: 0 })).toBe(2);
  });
});
