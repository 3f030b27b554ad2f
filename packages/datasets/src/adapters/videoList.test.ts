import { describe, expect, it } from 'vitest';
import { type Installation, inMemory, install } from '../testing/install.ts';
import { kinetics, somethingV1 } from '../testing/miniatures/videos.ts';
import { problemOf } from '../testing/thrown.ts';
import { checkPresence } from './presence.ts';
import { indexFrameList, indexVideoList, type VideoListFormat } from './videoList.ts';

describe('indexVideoList', () => {
  it('reads the lists of mmaction, UniFormer and SlowFast', async () => {
    await using mini = await install(await kinetics());
    const classes = ['a', 'b', 'c'];
    const read = async (list: string, format: VideoListFormat, options = {}) =>
      (await indexVideoList(mini.files, list, { format, classes, ...options })).entries.map(({ path, label }) => [
        path,
        label,
      ]);
    expect(await read('lists/mmaction.txt', 'mmaction', { folder: 'train' })).toEqual([
      ['train/air_drumming/_dbcJuKJQNs_000040_000050.mp4', 0],
    ]);
    expect(await read('lists/uniformer.csv', 'uniformer', { folder: 'train' })).toEqual([
      ['train/air drumming/_dbcJuKJQNs_000040_000050.mp4', 0],
    ]);
    expect(await read('lists/slowfast.csv', 'slowfast', { stripPrefix: '/data/k400' })).toEqual([
      ["train/massaging_person's_head/-mmq0PT-u8k_000000_000010.mp4", 1],
      ['train/passing_American_football_in_game/0LtLS9wROrk_000115_000125.mp4', 2],
      ['test/_dbcJuKJQNs_000040_000050.mp4', 0],
    ]);
  });

  const lists: [VideoListFormat, string, string, string][] = [
    ['mmaction', 'a.mp4 0\nb.mp4', 'line 2', 'list'],
    ['mmaction', 'a b.mp4 0', 'line 1', 'list'],
    ['mmaction', 'a.mp4 3', 'line 1', 'labels'],
    ['mmaction', 'a.mp4 1.0', 'line 1', 'labels'],
    ['uniformer', 'a.mp4 1', 'line 1', 'list'],
    ['uniformer', 'a.mp4,-1', 'line 1', 'labels'],
    ['slowfast', 'a.mp4 1 2 3', 'line 1', 'list'],
    ['slowfast', 'a.mp4 one 2', 'line 1', 'list'],
    ['mmaction', '../a.mp4 1', 'path', 'path'],
    ['mmaction', '/data/a.mp4 1', 'path', 'path'],
    ['mmaction', '/data2/a.mp4 1', 'path', 'path'],
  ];
  it.each(lists)('refuses, as %s, %j', async (format, text, place, code) => {
    const mini = inMemory({ 'list.txt': text });
    const options = { format, classes: 3, ...(text.startsWith('/data2') && { stripPrefix: '/data' }) };
    const problem = await problemOf(() => indexVideoList(mini.files, 'list.txt', options));
    expect(problem.code).toBe(code);
    expect(problem.argument).toContain(place);
  });

  it('takes another separator', async () => {
    await using mini = await install({ 'list.txt': 'my video.mp4;2\n' });
    const options = { format: 'slowfast', separator: ';', classes: 3 } as const;
    const { entries } = await indexVideoList(mini.files, 'list.txt', options);
    expect(entries).toEqual([{ id: 'my video', path: 'my video.mp4', label: 2 }]);
  });
});

describe('indexFrameList', () => {
  it('reads the lists of TSM', async () => {
    await using mini = await install(await somethingV1());
    const list = 'lists/train_videofolder.txt';
    const { entries, classes } = await indexFrameList(mini.files, list, { pattern: '%05d.jpg', classes: 4 });
    expect(classes[3]).toBe('class 3');
    const frames = { pattern: '%05d.jpg', first: 1 };
    expect(entries).toEqual([
      { id: '100218', path: '20bn-something-something-v1/100218', label: 0, frames: { ...frames, count: 6 } },
      { id: '24413', path: '20bn-something-something-v1/24413', label: 2, frames: { ...frames, count: 4 } },
    ]);
    const short = await indexFrameList(mini.files, list, { pattern: '%05d.jpg', classes: 4, minFrames: 5 });
    expect(short.entries.map(({ id }) => id)).toEqual(['100218']);
  });

  it.each([
    [{ classes: 2 }, 'list'],
    [{ classNames: ['a'] }, 'option'],
    [{ pattern: 'frame.jpg' }, 'option'],
    [{ pattern: '%05d_%d.jpg' }, 'option'],
    [{ pattern: '../%d.jpg' }, 'option'],
    [{ folder: '../other' }, 'path'],
  ])('refuses %j', async (change, code) => {
    const mini = inMemory(await somethingV1());
    const options = { pattern: '%05d.jpg', classes: 4, ...change };
    expect((await problemOf(() => indexFrameList(mini.files, 'lists/train_videofolder.txt', options))).code).toBe(code);
  });
});

describe('checkPresence', () => {
  it('sorts entries by whether their files are there, and lists each folder once', async () => {
    const files: Installation = { 'a/1.mp4': '', 'a/2.mp4': '', 'b/4.mp4': '', '5.mp4': '' };
    await using mini = await install(files);
    const entry = (path: string) => ({ id: path, path, label: 0 });
    const paths = ['a/2.mp4', 'a/3.mp4', 'b/4.mp4', 'c/1.mp4', '5.mp4'];
    const earlier = [entry('gone')];
    const index = { name: 'n', classes: ['x'], entries: paths.map(entry), absent: earlier };
    const steps: number[][] = [];
    const checked = await checkPresence(index, mini.files, { onProgress: (...step) => steps.push(step) });
    expect(checked.entries.map(({ path }) => path)).toEqual(['a/2.mp4', 'b/4.mp4', '5.mp4']);
    expect(checked.absent.map(({ path }) => path)).toEqual(['gone', 'a/3.mp4', 'c/1.mp4']);
    expect(steps).toEqual([1, 2, 3, 4].map((done) => [done, 4]));
  });
});
