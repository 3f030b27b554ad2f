import { openVideo } from '@saccade/media/node';
import { describe, expect, it } from 'vitest';
import { inMemory, install } from '../testing/install.ts';
import { fineGym } from '../testing/miniatures/videos.ts';
import { expectFramesOf } from '../testing/reading.ts';
import { problemOf } from '../testing/thrown.ts';
import { clipDataset } from '../video/clipDataset.ts';
import { parseCategories } from './categories.ts';
import { parseGymId } from './ids.ts';
import { indexFineGym } from './indexFineGym.ts';

const GYM = { list: 'annotations/gym_train.txt', categories: 'annotations/gym_categories.txt' };
const ANNOTATION = { annotation: 'annotations/finegym.json' };

describe('parseGymId', () => {
  it.each([
    ['0LtLS9wROrk_E_002407_002435_A_0003_0005', '0LtLS9wROrk', 'E_002407_002435', 'A_0003_0005'],
    ['zfqS-wCJSsw_E_006244_006252', 'zfqS-wCJSsw', 'E_006244_006252', undefined],
    // Ids of videos may hold the marks themselves.
    ['_aa_E_0-A_b_E_000001_000002_A_0000_0001', '_aa_E_0-A_b', 'E_000001_000002', 'A_0000_0001'],
    ['x_E_000001_000002_A_0000_0001_E_000003_000004', 'x_E_000001_000002_A_0000_0001', 'E_000003_000004', undefined],
  ])('takes %s apart from the right', (id, video, event, subAction) => {
    expect(parseGymId(id)).toEqual({ video, event, subAction });
  });

  it.each(['', 'x', 'x_E_1_2', 'x_A_0000_0001', 'x_E_000001_000002_A_0_1', '../x_E_000001_000002'])(
    'refuses %j',
    (id) => {
      expect(parseGymId(id)).toBeUndefined();
    },
  );
});

describe('parseCategories', () => {
  it('reads columns padded in any way', () => {
    const text = 'Clabel:  1; set: 21; Glabel: 104; (FX) b; c\r\nClabel:0;set:1;Glabel:1;(VT) a, (2) \n\n';
    expect(parseCategories(text, 'f')).toEqual(['(VT) a, (2)', '(FX) b; c']);
  });

  it.each(['Clabel: 0; set: 1; (VT) a', 'Clabel: 1; set: 1; Glabel: 1; a', 'Clabel: 0; set: 1; Glabel: 1;'])(
    'refuses %j',
    (line) => {
      expect(() => parseCategories(line, 'f')).toThrow('f, line 1: expected');
    },
  );
});

describe('indexFineGym', () => {
  it.each([
    // Frame k is on show at k/30 s. 0.5 + 0.2 ... 0.5 + 0.6 s is frames 21 to 33; 0.9 ... 1.7 s, both stages, 27 to 51.
    ['videos', ['0LtLS9wROrk.mp4', 'a_E_0-A_b_c.mp4'], [12, 24], [21, 27]],
    ['events', ['0LtLS9wROrk_E_000001_000002.mp4', 'a_E_0-A_b_c_E_000000_000002.mp4'], [12, 24], [6, 27]],
    [
      'subactions',
      ['0LtLS9wROrk_E_000001_000002_A_0000_0001.mp4', 'a_E_0-A_b_c_E_000000_000002_A_0001_0002.mp4'],
      [60, 60],
      [0, 0],
    ],
  ] as const)('finds clips in %s', async (layout, paths, lengths, starts) => {
    await using mini = await install(await fineGym());
    const index = await indexFineGym(mini.files, { ...GYM, ...ANNOTATION, layout });
    expect(index.classes[2]).toBe('(UB) pike sole circle backward with 1 turn to handstand');
    expect(index.entries.map(({ label }) => label)).toEqual([0, 2]);
    expect(index.entries.map(({ path }) => path)).toEqual(paths.map((path) => `${layout}/${path}`));
    const sampler = (length: number) => [0, length - 1];
    const dataset = clipDataset(index, { files: mini.files, openVideo, sampler });
    for (const [i, start] of starts.entries()) {
      const { clip, length } = await dataset.get(i);
      expect(length).toBe(lengths[i]);
      await expectFramesOf(clip, 'counter.mp4', [start, start + length - 1]);
    }
  });

  it('needs times for layouts that are cut by them', async () => {
    const mini = inMemory(await fineGym());
    const problem = await problemOf(() => indexFineGym(mini.files, { ...GYM, layout: 'videos' }));
    expect(problem).toMatchObject({ code: 'option', argument: 'annotation' });
  });

  const id = '0LtLS9wROrk_E_000001_000002_A_0000_0001';
  it.each([
    [GYM.list, `${id} 3`, 'line 1', 'labels'],
    [GYM.list, `${id} 0\n0LtLS9wROrk_E_000001_000002 1`, 'line 2', 'annotation'],
    [GYM.list, `${id}`, 'line 1', 'labels'],
    [GYM.list, '0LtLS9wROrk_E_000001_000002_A_0007_0008 1', 'line 1', 'annotation'],
    [ANNOTATION.annotation, '{"a":{"E":{"timestamps":[],"segments":null}}}', 'a.E.timestamps', 'annotation'],
    [ANNOTATION.annotation, '{"a":{"E":{"timestamps":[[0,-1]],"segments":null}}}', 'timestamps', 'annotation'],
    [ANNOTATION.annotation, '{"a":{"E":{"timestamps":[[0,1]]}}}', 'a.E.segments', 'annotation'],
  ])('refuses %s with %s', async (path, text, place, code) => {
    const mini = inMemory({ ...(await fineGym()), [path]: text });
    const problem = await problemOf(() => indexFineGym(mini.files, { ...GYM, ...ANNOTATION, layout: 'videos' }));
    expect(problem.code).toBe(code);
    expect(problem.argument).toContain(place);
  });

  it('counts a part without frames as a clip that cannot be read', async () => {
    const late =
      '{"0LtLS9wROrk":{"E_000001_000002":{"timestamps":[[9,10]],"segments":{"A_0000_0001":{"timestamps":[[0,1]]}}}}}';
    await using mini = await install({ ...(await fineGym()), [GYM.list]: `${id} 0`, [ANNOTATION.annotation]: late });
    const index = await indexFineGym(mini.files, { ...GYM, ...ANNOTATION, layout: 'videos' });
    const dataset = clipDataset(index, { files: mini.files, openVideo, sampler: () => [0], onError: 'skip' });
    expect(await dataset.tryGet(0)).toBeUndefined();
    expect(dataset.report.failures[0]?.error.message).toContain(
      'frames from 9 to 10 (seconds), got a video of 60 frames',
    );
  });
});
