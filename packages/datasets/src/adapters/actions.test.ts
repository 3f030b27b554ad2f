import { decodeImage, openVideo } from '@saccade/media/node';
import { describe, expect, it } from 'vitest';
import { inMemory, install } from '../testing/install.ts';
import { diving48, egtea } from '../testing/miniatures/videos.ts';
import { expectFramesOf, expectPixelsOf } from '../testing/reading.ts';
import { problemOf } from '../testing/thrown.ts';
import { clipDataset } from '../video/clipDataset.ts';
import { indexDiving48 } from './diving48.ts';
import { indexEgtea } from './egtea.ts';

const DIVING = { json: 'annotations/Diving48_V2_train.json', vocabulary: 'annotations/Diving48_vocab.json' };
const EGTEA = {
  list: 'action_annotation/train_split1.txt',
  actions: 'action_annotation/action_idx.txt',
  classCount: 3,
};

describe('indexDiving48', () => {
  it('reads videos and frames, classes from the vocabulary', async () => {
    await using mini = await install(await diving48());
    const videos = await indexDiving48(mini.files, DIVING);
    expect(videos.classes).toEqual(['Back 15som 05Twis FREE', 'Back 15som 15Twis FREE', 'Forward 35som NoTwis TUCK']);
    expect(videos.entries).toEqual([
      { id: '-mmq0PT-u8k_00155', path: 'rgb/-mmq0PT-u8k_00155.mp4', label: 0 },
      { id: '_8Vy3dlHg2w_00000', path: 'rgb/_8Vy3dlHg2w_00000.mp4', label: 2 },
    ]);
    const sample = await clipDataset(videos, { files: mini.files, openVideo, sampler: () => [3, 59] }).get(1);
    await expectFramesOf(sample.clip, 'counter.mp4', [3, 59]);

    const frames = await indexDiving48(mini.files, { ...DIVING, folder: 'rawframes', pattern: 'img_%05d.jpg' });
    expect(frames.entries[1]).toEqual({
      id: '_8Vy3dlHg2w_00000',
      path: 'rawframes/_8Vy3dlHg2w_00000',
      label: 2,
      frames: { pattern: 'img_%05d.jpg', count: 6 },
    });
    const dataset = clipDataset(frames, { files: mini.files, decode: decodeImage, sampler: () => [4] });
    await expectPixelsOf((await dataset.get(0)).clip[0], 'counter_4.jpg');
  });

  const clip = { vid_name: 'a', label: 0, start_frame: 0, end_frame: 5 };
  it.each([
    [[clip, { ...clip, label: 3 }], '1.label', 'labels'],
    [[{ ...clip, label: -1 }], '0.label', 'annotation'],
    [[{ ...clip, label: '0' }], '0.label', 'annotation'],
    [[{ ...clip, end_frame: 0 }], '0.end_frame', 'annotation'],
    [[{ ...clip, vid_name: '../a' }], '0.vid_name', 'annotation'],
    [[{ ...clip, end_frame: undefined }], '0.end_frame', 'annotation'],
  ])('refuses %j', async (json, place, code) => {
    const mini = inMemory({ ...(await diving48()), [DIVING.json]: JSON.stringify(json) });
    const problem = await problemOf(() => indexDiving48(mini.files, DIVING));
    expect(problem).toMatchObject({ code, argument: `${DIVING.json}, ${place}` });
  });
});

describe('indexEgtea', () => {
  it('counts actions, verbs and nouns from 0, and finds clips below their sessions', async () => {
    await using mini = await install(await egtea());
    const index = await indexEgtea(mini.files, EGTEA);
    expect(index.classes).toEqual(['Inspect/Read recipe', 'Take eating_utensil', 'Cut tomato']);
    const [first, second] = index.entries;
    expect(first).toMatchObject({ label: 2, verb: 7, nouns: [11] });
    expect(first?.path).toBe(
      'cropped_clips/OP01-R01-PastaSalad/OP01-R01-PastaSalad-1002316-1004005-F024051-F024101.mp4',
    );
    expect(second).toMatchObject({ label: 0, verb: 0, nouns: [1, 4] });
    const sample = await clipDataset(index, { files: mini.files, openVideo, sampler: () => [0, 30] }).get(1);
    await expectFramesOf(sample.clip, 'counter.mp4', [0, 30]);
  });

  const clip = 'P01-R01-Pizza-1-2-F3-F4';
  it.each([
    [EGTEA.list, `${clip} 0`, 'line 1', 'labels'],
    [EGTEA.list, `${clip} 1\n${clip} 4`, 'line 2', 'labels'],
    [EGTEA.list, 'P01-R01-Pizza 1', 'line 1', 'annotation'],
    [EGTEA.list, `${clip} 1 0`, 'line 1', 'annotation'],
    [EGTEA.list, `../${clip} 1`, 'line 1', 'annotation'],
    [EGTEA.actions, 'Cut tomato 1\nTake plate 1\nOpen jar 3', 'line 2', 'labels'],
    [EGTEA.actions, 'Cut tomato 1\nOpen jar 3', EGTEA.actions, 'labels'],
    [EGTEA.actions, 'Cut', 'line 1', 'annotation'],
  ])('refuses %s with %j', async (path, text, place, code) => {
    const mini = inMemory({ ...(await egtea()), [path]: text });
    const problem = await problemOf(() => indexEgtea(mini.files, EGTEA));
    expect(problem.code).toBe(code);
    expect(problem.argument).toContain(place);
  });
});
