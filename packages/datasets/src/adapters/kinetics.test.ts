import { segmentFrames } from '@saccade/media';
import { openVideo } from '@saccade/media/node';
import { describe, expect, it } from 'vitest';
import { type Installation, inMemory, install } from '../testing/install.ts';
import { kinetics } from '../testing/miniatures/videos.ts';
import { expectFramesOf } from '../testing/reading.ts';
import { problemOf } from '../testing/thrown.ts';
import { clipDataset } from '../video/clipDataset.ts';
import { indexKinetics, kineticsFolders } from './kinetics.ts';

const TRAIN = { csv: 'annotations/train.csv', folder: 'train', classCount: 3 };

async function withCsv(csv: string, more: Installation = {}) {
  return inMemory({ ...(await kinetics()), 'annotations/train.csv': csv, ...more });
}

describe('indexKinetics', () => {
  it('finds videos below folders in all spellings, and tells which are gone', async () => {
    await using mini = await install(await kinetics());
    const index = await indexKinetics(mini.files, TRAIN);
    expect(index.classes).toEqual(['air drumming', "massaging person's head", 'passing American football (in game)']);
    expect(index.entries.map(({ id, path, label }) => [id, path, label])).toEqual([
      ['_dbcJuKJQNs_000040_000050', 'train/air drumming/_dbcJuKJQNs_000040_000050.mp4', 0],
      ['-mmq0PT-u8k_000000_000010', "train/massaging_person's_head/-mmq0PT-u8k_000000_000010.mp4", 1],
      ['0LtLS9wROrk_000115_000125', 'train/passing_American_football_in_game/0LtLS9wROrk_000115_000125.mp4', 2],
    ]);
    expect(index.absent).toEqual([
      { id: 'gone_Video0_000007_000017', path: 'train/gone_Video0_000007_000017', label: 0 },
    ]);

    const sampler = (length: number) => segmentFrames(length, { segments: 4 });
    const dataset = clipDataset(index, { files: mini.files, openVideo, sampler });
    for (const label of [0, 1, 2]) {
      const sample = await dataset.get(label);
      expect(sample).toMatchObject({ label, length: 60, frames: [7, 22, 37, 52] });
      await expectFramesOf(sample.clip, 'counter.mp4', sample.frames);
    }
  });

  it('writes folders as the loaders do', () => {
    expect(kineticsFolders('passing American football (in game)')).toEqual([
      'passing_American_football_(in_game)',
      'passing_American_football_in_game',
      'passing American football (in game)',
    ]);
    expect(kineticsFolders('"air drumming"')[0]).toBe('air_drumming');
    expect(kineticsFolders("person's")).toEqual(["person's", 'persons', "person's"]);
  });

  it.each([
    ['labels', ['skiing (not slalom or crosscountry)', 'skiing crosscountry', 'skiing slalom']],
    ['torchvision', ['skiing crosscountry', 'skiing (not slalom or crosscountry)', 'skiing slalom']],
  ] as const)('sorts classes by %s, which differ in one pair', async (classOrder, classes) => {
    const csv = ['label,youtube_id,time_start,time_end', ...classes.map((name, i) => `${name},clip_${i},0,10`)];
    const mini = await withCsv(csv.join('\n'));
    expect((await indexKinetics(mini.files, { ...TRAIN, classOrder })).classes).toEqual(classes);
  });

  it('reads test splits without labels, by the names of their columns', async () => {
    await using mini = await install(await kinetics());
    const test = { csv: 'annotations/test.csv', folder: 'test', classCount: 3, classes: { csv: TRAIN.csv } };
    const index = await indexKinetics(mini.files, { ...test, layout: 'flat' });
    expect(index.entries).toEqual([
      { id: '_dbcJuKJQNs_000040_000050', path: 'test/_dbcJuKJQNs_000040_000050.mp4', label: -1 },
    ]);
    expect(await problemOf(() => indexKinetics(mini.files, test))).toMatchObject({
      code: 'annotation',
      argument: 'annotations/test.csv, line 2',
    });
  });

  it('counts classes among all of them, never among an excerpt', async () => {
    const mini = inMemory({ ...(await kinetics()), 'classes.txt': 'zumba\nair drumming\nabseiling\n' });
    const excerpt = { ...TRAIN, classCount: undefined };
    const { classCount: _, ...defaults } = excerpt;
    expect(await problemOf(() => indexKinetics(mini.files, defaults))).toMatchObject({
      code: 'labels',
      expected: '400 classes',
      actual: '3',
    });
    const list = { ...TRAIN, classes: { list: 'classes.txt' } };
    expect(await problemOf(() => indexKinetics(mini.files, list))).toMatchObject({
      code: 'labels',
      argument: 'annotations/train.csv, line 3',
    });
  });

  it.each([
    ['youtube_id,start,end,label', 'line 1', 'the columns youtube_id, time_start, time_end'],
    ['"air drumming",_dbcJuKJQNs,40,50,train,0', 'line 1', 'the columns'],
    ['label,youtube_id,time_start,time_end,split,is_cc\nair,_dbcJuKJQNs,40,50,train', 'line 2', '6 columns'],
    ['label,youtube_id,time_start,time_end\nair,_dbcJuKJQNs,forty,50', 'line 2', 'a time in seconds'],
    ['label,youtube_id,time_start,time_end\nair,../../etc,40,50', 'line 2', 'an id of YouTube'],
    ['label,youtube_id,time_start,time_end\n"air,_dbcJuKJQNs,40,50\nb,c,1,2', 'line 2', 'a quote'],
  ])('refuses %j', async (csv, place, expected) => {
    const mini = await withCsv(csv);
    const problem = await problemOf(() => indexKinetics(mini.files, { ...TRAIN, classCount: 1 }));
    expect(problem.argument).toBe(`annotations/train.csv, ${place}`);
    expect(problem.expected).toContain(expected);
  });

  it('reads times with decimals and columns in any order', async () => {
    const mini = await withCsv('time_end,time_start,youtube_id,label\n50.0,40.0,_dbcJuKJQNs,air drumming\n');
    const index = await indexKinetics(mini.files, { ...TRAIN, classCount: 1 });
    expect(index.entries.map(({ id }) => id)).toEqual(['_dbcJuKJQNs_000040_000050']);
  });
});
