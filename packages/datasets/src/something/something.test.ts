import { uniformFrames } from '@saccade/media';
import { decodeImage, openVideo } from '@saccade/media/node';
import { describe, expect, it } from 'vitest';
import { inMemory, install } from '../testing/install.ts';
import { somethingV1, somethingV2 } from '../testing/miniatures/videos.ts';
import { expectFramesOf, expectPixelsOf } from '../testing/reading.ts';
import { problemOf } from '../testing/thrown.ts';
import { clipDataset } from '../video/clipDataset.ts';
import { framePath } from '../video/clipEntry.ts';
import { indexFramePaths } from './indexFramePaths.ts';
import { indexSomethingV1, type SomethingV1Options } from './indexV1.ts';
import { indexSomethingV2 } from './indexV2.ts';

const V1 = { csv: 'something-something-v1-train.csv', labels: 'something-something-v1-labels.csv', classCount: 4 };
const V2 = { json: 'something-something-v2-train.json', labels: 'something-something-v2-labels.json', classCount: 3 };

describe('indexSomethingV1', () => {
  it.each([
    // Holding, Turning, Putting, Folding as in the file; Folding, Holding, Putting, Turning by the alphabet.
    ['labels', [3, 2], 'Holding something'],
    ['alphabetical', [0, 2], 'Folding something'],
  ] as const)('numbers classes by the order %s', async (classOrder, labels, first) => {
    await using mini = await install(await somethingV1());
    const index = await indexSomethingV1(mini.files, { ...V1, classOrder });
    expect(index.classes[0]).toBe(first);
    expect(index.entries.map(({ label }) => label)).toEqual(labels);
    expect(index.entries.map(({ label }) => index.classes[label])).toEqual([
      'Folding something',
      "Putting something that can't roll onto a slanted surface, so it stays where it is",
    ]);
  });

  it('reads frames, as many as there are', async () => {
    await using mini = await install(await somethingV1());
    const index = await indexSomethingV1(mini.files, { ...V1, classOrder: 'alphabetical' });
    const sampler = (length: number) => uniformFrames(length, { frames: 3, views: 1 });
    const dataset = clipDataset(index, { files: mini.files, decode: decodeImage, sampler });
    const [six, four] = [await dataset.get(0), await dataset.get(1)];
    expect([six.length, four.length]).toEqual([6, 4]);
    // g = 5/3, starts round(0, 1.67, 3.33) = 0 2 3, shift trunc(5/6) = 0; g = 1, starts 0 1 2, shift 0.
    expect([six.frames, four.frames]).toEqual([
      [0, 2, 3],
      [0, 1, 2],
    ]);
    for (const [t, number] of six.frames.entries()) await expectPixelsOf(six.clip[t], `counter_${number}.jpg`);
  });

  it('reads the test split, which has no labels', async () => {
    await using mini = await install(await somethingV1());
    const options = { ...V1, csv: 'something-something-v1-test.csv', classOrder: 'labels' } as const;
    expect((await indexSomethingV1(mini.files, options)).entries).toMatchObject([{ id: '8', label: -1 }]);
  });

  it('has no order by default', async () => {
    const mini = inMemory(await somethingV1());
    const problem = await problemOf(() => indexSomethingV1(mini.files, V1 as SomethingV1Options));
    expect(problem).toMatchObject({ code: 'option', argument: 'classOrder' });
  });

  it.each([
    ['1;Folding something\n2;Nothing', 'line 2', 'labels'],
    ['1;Folding something\n2', 'line 2', 'annotation'],
    ['1,Folding something', 'line 1', 'annotation'],
    ['../1;Folding something', 'line 1', 'annotation'],
    ['1;Folding something;7', 'line 1', 'annotation'],
  ])('refuses %j', async (csv, place, code) => {
    const mini = inMemory({ ...(await somethingV1()), [V1.csv]: csv });
    const problem = await problemOf(() => indexSomethingV1(mini.files, { ...V1, classOrder: 'labels' }));
    expect(problem).toMatchObject({ code, argument: `${V1.csv}, ${place}` });
  });

  it('refuses a file of labels of another data set', async () => {
    const mini = inMemory({ ...(await somethingV1()), twice: 'a\nb\na\nc' });
    const { classCount: _, ...full } = V1;
    const order = { classOrder: 'labels' } as const;
    expect(await problemOf(() => indexSomethingV1(mini.files, { ...full, ...order }))).toMatchObject({
      code: 'labels',
      expected: '174 classes, each once',
      actual: '4',
    });
    const twice = { ...V1, labels: 'twice', ...order };
    expect((await problemOf(() => indexSomethingV1(mini.files, twice))).actual).toBe('"a" twice');
  });
});

describe('indexSomethingV2', () => {
  it('finds the class of a template without its brackets', async () => {
    await using mini = await install(await somethingV2());
    const index = await indexSomethingV2(mini.files, V2);
    expect(index.entries).toEqual([
      { id: '78687', path: '20bn-something-something-v2/78687.webm', label: 1 },
      { id: '42326', path: '20bn-something-something-v2/42326.webm', label: 2 },
    ]);
    const sampler = (length: number) => uniformFrames(length, { frames: 2 });
    const sample = await clipDataset(index, { files: mini.files, openVideo, sampler }).get(0);
    // g = 59/2: (0 + round(29.5))/2 = 15, (30 + 59)/2 = 44.
    expect(sample).toMatchObject({ label: 1, length: 60, frames: [15, 44] });
    await expectFramesOf(sample.clip, 'counter.webm', sample.frames);
  });

  it('reads the test split, and clips in frames', async () => {
    await using mini = await install(await somethingV2());
    const test = await indexSomethingV2(mini.files, { ...V2, json: 'something-something-v2-test.json' });
    expect(test.entries).toMatchObject([{ id: '1420', label: -1 }]);
    const frames = { pattern: '%06d.jpg' };
    const { entries } = await indexSomethingV2(mini.files, { ...V2, frames, folder: 'frames' });
    expect(entries[1]).toEqual({ id: '42326', path: 'frames/42326', label: 2, frames });
  });

  it.each([
    [V2.json, '[{"id":"1","template":"Eating [something]"}]', 'labels', '0.template'],
    [V2.json, '[{"id":"1","template":"Opening [something]"},{"id":2}]', 'annotation', '1.id'],
    [V2.json, '[{"id":"../1"}]', 'annotation', '0.id'],
    [V2.json, '{"id":"1"}', 'annotation', V2.json],
    [V2.json, '[{"id":"1"', 'annotation', V2.json],
    [V2.labels, '{"a":"0","b":"2","c":"1","d":"3"}', 'labels', V2.labels],
    [V2.labels, '{"a":"0","b":"2","c":"2"}', 'labels', 'c'],
    [V2.labels, '{"a":"0","b":"1","c":"3"}', 'labels', 'c'],
    [V2.labels, '{"a":0}', 'annotation', 'a'],
  ])('refuses %s with %s', async (path, json, code, place) => {
    const mini = inMemory({ ...(await somethingV2()), [path]: json });
    const problem = await problemOf(() => indexSomethingV2(mini.files, V2));
    expect(problem.code).toBe(code);
    expect(problem.argument).toContain(place);
  });
});

describe('indexFramePaths', () => {
  const classes = ['a', 'b', 'c'];

  it("reads SlowFast's list with the labels of the JSON", async () => {
    await using mini = await install(await somethingV2());
    const labels = await indexSomethingV2(mini.files, V2);
    const options = { classes: labels.classes, labels, folder: 'frames' };
    const index = await indexFramePaths(mini.files, 'frame_lists/train.csv', options);
    expect(index.entries).toEqual([
      { id: '78687', path: 'frames/78687', label: 1, frames: { pattern: '78687_%06d.jpg', first: 1, count: 6 } },
      { id: '42326', path: 'frames/42326', label: 2, frames: { pattern: '42326_%06d.jpg', first: 1, count: 6 } },
    ]);
    const dataset = clipDataset(index, { files: mini.files, decode: decodeImage, sampler: () => [5, 0, 5] });
    const { clip } = await dataset.get(1);
    for (const [t, number] of [5, 0, 5].entries()) await expectPixelsOf(clip[t], `counter_${number}.jpg`);
    const some = { ...labels, entries: labels.entries.slice(1) };
    const partly = await indexFramePaths(mini.files, 'frame_lists/train.csv', { ...options, labels: some });
    expect([partly.entries.length, partly.absent.map(({ id }) => id)]).toEqual([1, ['78687']]);
  });

  it('reads labels in the list, and frames whose numbers do not run on', async () => {
    await using mini = await install(await somethingV2());
    const index = await indexFramePaths(mini.files, 'frame_lists/labelled.csv', { classes, folder: 'frames' });
    expect(index.entries.map(({ label }) => label)).toEqual([1, 2]);
    const [, gaps] = index.entries;
    expect(gaps?.frames).toEqual({
      paths: [1, 2, 6].map((number) => `frames/42326/42326_00000${number}.jpg`),
    });
    const dataset = clipDataset(index, { files: mini.files, decode: decodeImage, sampler: (length) => [length - 1] });
    await expectPixelsOf((await dataset.get(1)).clip[0], 'counter_5.jpg');
  });

  it('keeps the path of every frame it was given', async () => {
    const names = [
      'a/9.jpg',
      'a/10.jpg',
      'a/011.jpg',
      'b/x.jpg',
      'c/1%.jpg',
      'd.jpg',
      'e/8.png',
      'e/9.png',
      'e/10.png',
    ];
    const lines = names.map((name) => `${name.replace(/\W.*/, '')} 1 0 ${name} "0"`);
    await using mini = await install({ list: ['original_vido_id', ...lines].join('\r\n') });
    const { entries } = await indexFramePaths(mini.files, 'list', { classes });
    const kept = entries.flatMap((clip) => {
      const { frames } = clip;
      if (frames === undefined) throw new Error('no frames');
      const count = 'paths' in frames ? frames.paths.length : (frames.count ?? 0);
      return Array.from({ length: count }, (_, k) => framePath(clip, frames, k));
    });
    expect(kept).toEqual(names);
  });

  it.each([
    ['original_video_id\nx 1 1 p "0"', 'line 1', 'list'],
    ['original_vido_id\nx 1 1 p', 'line 2', 'list'],
    ['original_vido_id\nx 1 1 p "3"', 'line 2', 'labels'],
    ['original_vido_id\nx 1 1 p "0,1"', 'line 2', 'labels'],
    ['original_vido_id\nx 1 1 p.jpg "0"\nx 1 2 q.jpg "1"', 'line 3', 'labels'],
    ['original_vido_id\nx 1 1 p ""', 'clip x', 'labels'],
    ['original_vido_id\nx 1 1 ../p "0"', 'path', 'path'],
    ['', 'list', 'list'],
  ])('refuses %j', async (list, place, code) => {
    const mini = inMemory({ list });
    const problem = await problemOf(() => indexFramePaths(mini.files, 'list', { classes }));
    expect(problem.code).toBe(code);
    expect(problem.argument).toContain(place);
  });
});
