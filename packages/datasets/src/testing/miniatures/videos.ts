import { fixture } from '../fixtures.ts';
import type { Installation } from '../install.ts';

/** Six frames of the counter under the names of a pattern: `frames('clip', (n) => ...)`. */
async function frames(folder: string, name: (number: number) => string, count = 6): Promise<Installation> {
  const files = await Promise.all(Array.from({ length: count }, (_, i) => fixture(`counter_${i}.jpg`)));
  return Object.fromEntries(files.map((bytes, i) => [`${folder}/${name(i + 1)}`, bytes]));
}

const five = (number: number) => `${String(number).padStart(5, '0')}.jpg`;
const six = (number: number) => `${String(number).padStart(6, '0')}.jpg`;
const img = (number: number) => `img_${five(number)}`;

/** Kinetics with three classes, whose folders are written as mmaction, torchvision and nobody does. One video is gone. */
export async function kinetics(): Promise<Installation> {
  const video = await fixture('counter.mp4');
  return {
    'annotations/train.csv': [
      'label,youtube_id,time_start,time_end,split,is_cc',
      '"air drumming",_dbcJuKJQNs,40,50,train,0',
      '"massaging person\'s head",-mmq0PT-u8k,0,10,train,0',
      '"passing American football (in game)",0LtLS9wROrk,115,125,train,0',
      '"air drumming",gone_Video0,7,17,train,0',
      '',
    ].join('\n'),
    'annotations/test.csv': 'youtube_id,time_start,time_end,split\n_dbcJuKJQNs,40,50,test\n',
    'train/air drumming/_dbcJuKJQNs_000040_000050.mp4': video,
    "train/massaging_person's_head/-mmq0PT-u8k_000000_000010.mp4": video,
    'train/passing_American_football_in_game/0LtLS9wROrk_000115_000125.mp4': video,
    'test/_dbcJuKJQNs_000040_000050.mp4': video,
    'lists/mmaction.txt': 'air drumming/_dbcJuKJQNs_000040_000050.mp4 0\n'.replace(' d', '_d'),
    'lists/uniformer.csv': 'air drumming/_dbcJuKJQNs_000040_000050.mp4,0\n',
    'lists/slowfast.csv': [
      "/data/k400/train/massaging_person's_head/-mmq0PT-u8k_000000_000010.mp4 1",
      '/data/k400/train/passing_American_football_in_game/0LtLS9wROrk_000115_000125.mp4 300 2',
      '/data/k400/test/_dbcJuKJQNs_000040_000050.mp4',
    ].join('\n'),
  };
}

/** Something-Something V1 with four classes; their file is in another order than the alphabet. */
export async function somethingV1(): Promise<Installation> {
  return {
    'something-something-v1-labels.csv': [
      'Holding something',
      'Turning something upside down',
      "Putting something that can't roll onto a slanted surface, so it stays where it is",
      'Folding something',
    ].join('\n'),
    'something-something-v1-train.csv':
      "100218;Folding something\n24413;Putting something that can't roll onto a slanted surface, so it stays where it is\n",
    'something-something-v1-validation.csv': '7;Holding something\n',
    'something-something-v1-test.csv': '8\n',
    ...(await frames('20bn-something-something-v1/100218', five)),
    ...(await frames('20bn-something-something-v1/24413', five, 4)),
    ...(await frames('20bn-something-something-v1/7', five)),
    ...(await frames('20bn-something-something-v1/8', five)),
    'lists/train_videofolder.txt': '20bn-something-something-v1/100218 6 0\n20bn-something-something-v1/24413 4 2\n',
  };
}

/** Something-Something V2 with three classes, as videos and as SlowFast's frames. */
export async function somethingV2(): Promise<Installation> {
  const video = await fixture('counter.webm');
  const entry = (id: string, template: string) => ({ id, label: 'free text', template, placeholders: ['potato'] });
  const row = (id: string, number: number, labels: string) => `${id} 1 ${number} ${id}/${id}_${six(number)} ${labels}`;
  const numbers = [1, 2, 3, 4, 5, 6];
  return {
    'something-something-v2-labels.json': JSON.stringify({
      'Approaching something with your camera': '0',
      'Holding something next to something': '1',
      'Opening something': '2',
    }),
    'something-something-v2-train.json': JSON.stringify([
      entry('78687', 'Holding [something] next to [something]'),
      entry('42326', 'Opening [something]'),
    ]),
    'something-something-v2-test.json': JSON.stringify([{ id: '1420' }]),
    '20bn-something-something-v2/78687.webm': video,
    '20bn-something-something-v2/42326.webm': video,
    '20bn-something-something-v2/1420.webm': video,
    'frame_lists/train.csv': [
      'original_vido_id video_id frame_id path labels',
      ...numbers.map((number) => row('78687', number, '""')),
      ...numbers.map((number) => row('42326', number, '""')),
    ].join('\n'),
    'frame_lists/labelled.csv': [
      'original_vido_id video_id frame_id path labels',
      ...numbers.map((number) => row('78687', number, '"1"')),
      ...[1, 2, 6].map((number) => row('42326', number, '"2"')),
    ].join('\n'),
    ...(await frames('frames/78687', (number) => `78687_${six(number)}`)),
    ...(await frames('frames/42326', (number) => `42326_${six(number)}`)),
  };
}

/** Diving-48 V2 with three classes, as videos and as frames. */
export async function diving48(): Promise<Installation> {
  const video = await fixture('counter.mp4');
  const clip = (vid_name: string, label: number, end_frame: number) => ({ vid_name, label, start_frame: 0, end_frame });
  return {
    'annotations/Diving48_V2_train.json': JSON.stringify([
      clip('-mmq0PT-u8k_00155', 0, 6),
      clip('_8Vy3dlHg2w_00000', 2, 6),
    ]),
    'annotations/Diving48_vocab.json': JSON.stringify([
      ['Back', '15som', '05Twis', 'FREE'],
      ['Back', '15som', '15Twis', 'FREE'],
      ['Forward', '35som', 'NoTwis', 'TUCK'],
    ]),
    'rgb/-mmq0PT-u8k_00155.mp4': video,
    'rgb/_8Vy3dlHg2w_00000.mp4': video,
    ...(await frames('rawframes/-mmq0PT-u8k_00155', img)),
    ...(await frames('rawframes/_8Vy3dlHg2w_00000', img)),
  };
}

/** FineGym: one whole video, one event, and sub-actions. The second video's id holds what looks like the marks of an id. */
export async function fineGym(): Promise<Installation> {
  const video = await fixture('counter.mp4');
  const [plain, tricky] = ['0LtLS9wROrk', 'a_E_0-A_b_c'];
  return {
    'annotations/gym_train.txt': `${plain}_E_000001_000002_A_0000_0001 0\n${tricky}_E_000000_000002_A_0001_0002 2\n`,
    'annotations/gym_categories.txt': [
      'Clabel:   0; set:  1; Glabel:   1; (VT) round-off, flic-flac with 0.5 turn on, stretched salto forward',
      'Clabel: 1; set: 21; Glabel: 67; (FX) switch leap with 0.5 turn',
      'Clabel:   2; set: 41; Glabel: 398; (UB) pike sole circle backward with 1 turn to handstand ',
    ].join('\n'),
    'annotations/finegym.json': JSON.stringify({
      [plain]: {
        E_000001_000002: {
          event: 1,
          timestamps: [[0.5, 1.8]],
          segments: { A_0000_0001: { stages: 1, timestamps: [[0.2, 0.6]] } },
        },
      },
      [tricky]: {
        E_000000_000002: {
          event: 4,
          timestamps: [[0, 2]],
          segments: {
            A_0001_0002: {
              stages: 2,
              timestamps: [
                [0.9, 1.2],
                [1.4, 1.7],
              ],
            },
          },
        },
        E_000002_000003: { event: 2, timestamps: [[2, 3]], segments: null },
      },
    }),
    [`videos/${plain}.mp4`]: video,
    [`videos/${tricky}.mp4`]: video,
    [`events/${plain}_E_000001_000002.mp4`]: video,
    [`events/${tricky}_E_000000_000002.mp4`]: video,
    [`subactions/${plain}_E_000001_000002_A_0000_0001.mp4`]: video,
    [`subactions/${tricky}_E_000000_000002_A_0001_0002.mp4`]: video,
  };
}

/** EGTEA Gaze+ with three actions. */
export async function egtea(): Promise<Installation> {
  const video = await fixture('counter.mp4');
  const [first, second] = [
    'OP01-R01-PastaSalad-1002316-1004005-F024051-F024101',
    'P17-R04-ContinentalBreakfast-102320-105110-F002449-F002529',
  ];
  return {
    'action_annotation/action_idx.txt': 'Inspect/Read recipe 1\nTake eating_utensil 2\nCut tomato 3\n',
    'action_annotation/train_split1.txt': `${first} 3 8 12\n${second} 1 1 2 5 \n`,
    [`cropped_clips/OP01-R01-PastaSalad/${first}.mp4`]: video,
    [`cropped_clips/P17-R04-ContinentalBreakfast/${second}.mp4`]: video,
  };
}
