import {
  type ClipEntry,
  clipDataset,
  cocoDataset,
  type Dataset,
  FASHION_MNIST_CLASSES,
  type Files,
  imageDataset,
  indexAde20k,
  indexCoco,
  indexDiving48,
  indexEgtea,
  indexFineGym,
  indexFrameList,
  indexImageFolder,
  indexImageNet,
  indexKinetics,
  indexSomethingV1,
  indexSomethingV2,
  indexVideoList,
  labelledImagesDataset,
  readIdxSet,
  type Sample,
  type SampleIndex,
  type SampleInfo,
  type SynsetSource,
  segmentationDataset,
} from '@saccade/datasets';
import { decodeImage, openVideo } from '@saccade/media/node';
import { UsageError } from '../terminal/failure.ts';
import { counted } from '../terminal/terminal.ts';

/** What is known of an installation before it is looked at. */
export interface OpenRequest {
  readonly files: Files;
  readonly split: string;
  /** values of `--option name=value` */
  readonly options: ReadonlyMap<string, string>;
  readonly signal: AbortSignal;
  /** bytes of the annotation that were read */
  readonly onProgress: (done: number, total: number) => void;
}

/** An installation whose annotation was read. */
export interface OpenedInstallation {
  readonly index: SampleIndex;
  readonly dataset: Pick<Dataset<Sample>, 'length' | 'get'>;
  /** what the annotation says beside counts */
  readonly notes?: readonly string[];
}

/** A data set that can be checked. */
export interface Installation {
  readonly title: string;
  /** the first is the default */
  readonly splits: readonly string[];
  /** names of `--option`, and what they mean */
  readonly options: Readonly<Record<string, string>>;
  /** samples of the splits, as published */
  readonly published?: Readonly<Record<string, number>>;
  open(request: OpenRequest): Promise<OpenedInstallation>;
}

/** What has no index, and is checked from end to end. */
export const SHARDS = {
  name: 'webdataset',
  title: 'Shards of tar files; splits as in their _info.json',
  options: {
    shards: 'pattern of their names, such as train-{0000..0147}.tar (default: those of _info.json)',
    info: 'path of _info.json',
  },
} as const;

const FOLDER = { folder: 'folder of the media' };

/** Every data set by its name on the command line. */
export const INSTALLATIONS: Readonly<Record<string, Installation>> = {
  imagenet: {
    title: 'ImageNet-1K',
    splits: ['val', 'train'],
    options: {
      ...FOLDER,
      layout: 'folders (default), list or devkit',
      list: 'for layout list: names with labels',
      groundTruth: 'for layout devkit: ILSVRC2012_validation_ground_truth.txt',
      synsets: 'classes: meta.mat, LOC_synset_mapping.txt or synset_words.txt',
      synsetFormat: 'mat, clsloc or words (default: mat for a .mat file, else words)',
    },
    published: { train: 1_281_167, val: 50_000 },
    open: async (request) => images(request, await indexImageNet(request.files, imageNetOptions(request))),
  },
  'image-folder': {
    title: 'Images in a folder for each class',
    splits: [''],
    options: FOLDER,
    open: async (request) => {
      const { files, split, options, signal } = request;
      const folder = options.get('folder') ?? split;
      return images(request, await indexImageFolder(files, { folder, allowEmpty: true, signal }));
    },
  },
  ...kinetics(400),
  ...kinetics(600),
  ...kinetics(700),
  'something-v1': {
    title: 'Something-Something V1',
    splits: ['validation', 'train', 'test'],
    options: { ...FOLDER, classOrder: 'labels or alphabetical (default)', csv: 'the list', labels: 'the classes' },
    published: { train: 86_017, validation: 11_522, test: 10_960 },
    open: async (request) => {
      const { files, split, options, signal } = request;
      const csv = options.get('csv') ?? `something-something-v1-${split}.csv`;
      const labels = options.get('labels') ?? 'something-something-v1-labels.csv';
      const classOrder = choice(options, 'classOrder', ['alphabetical', 'labels']);
      const folder = options.get('folder');
      return clips(
        request,
        await indexSomethingV1(files, { csv, labels, classOrder, signal, ...(folder && { folder }) }),
      );
    },
  },
  'something-v2': {
    title: 'Something-Something V2',
    splits: ['validation', 'train', 'test'],
    options: { ...FOLDER, json: 'the list', labels: 'the classes', pattern: 'of frames that are images, %05d.jpg' },
    published: { train: 168_913, validation: 24_777, test: 27_157 },
    open: async (request) => {
      const { files, split, options, signal } = request;
      const json = options.get('json') ?? `something-something-v2-${split}.json`;
      const labels = options.get('labels') ?? 'something-something-v2-labels.json';
      const [folder, pattern] = [options.get('folder'), options.get('pattern')];
      const media = { ...(folder && { folder }), ...(pattern && { frames: { pattern } }) };
      return clips(request, await indexSomethingV2(files, { json, labels, signal, ...media }));
    },
  },
  diving48: {
    title: 'Diving-48 (V2)',
    splits: ['test', 'train'],
    options: { ...FOLDER, json: 'the list', vocabulary: 'the classes', pattern: 'of frames that are images' },
    published: { train: 15_027, test: 1_970 },
    open: async (request) => {
      const { files, split, options, signal } = request;
      const json = options.get('json') ?? `Diving48_V2_${split}.json`;
      const vocabulary = options.get('vocabulary') ?? 'Diving48_vocab.json';
      const [folder, pattern] = [options.get('folder'), options.get('pattern')];
      const media = { ...(folder && { folder }), ...(pattern && { pattern }) };
      return clips(request, await indexDiving48(files, { json, vocabulary, signal, ...media }));
    },
  },
  ...fineGym(99),
  ...fineGym(288),
  egtea: {
    title: 'EGTEA Gaze+',
    splits: ['test_split1', 'train_split1', 'test_split2', 'train_split2', 'test_split3', 'train_split3'],
    options: { ...FOLDER, list: 'the list', actions: 'action_idx.txt' },
    published: { train_split1: 8_299, test_split1: 2_022 },
    open: async (request) => {
      const { files, split, options, signal } = request;
      const list = options.get('list') ?? `${split}.txt`;
      const actions = options.get('actions') ?? 'action_idx.txt';
      const folder = options.get('folder');
      return clips(request, await indexEgtea(files, { list, actions, signal, ...(folder && { folder }) }));
    },
  },
  'video-list': {
    title: 'A list of videos with labels',
    splits: [''],
    options: {
      ...FOLDER,
      list: 'the list (needed)',
      classes: 'number of classes (needed)',
      format: 'mmaction (default), slowfast or uniformer',
      stripPrefix: 'taken off paths',
    },
    open: async (request) => {
      const { files, options, signal } = request;
      const format = choice(options, 'format', ['mmaction', 'slowfast', 'uniformer']);
      const [folder, stripPrefix] = [options.get('folder'), options.get('stripPrefix')];
      const paths = { ...(folder && { folder }), ...(stripPrefix && { stripPrefix }) };
      const classes = count(options, 'classes');
      return clips(
        request,
        await indexVideoList(files, needed(options, 'list'), { format, classes, signal, ...paths }),
      );
    },
  },
  'frame-list': {
    title: 'A list of folders of frames, as TSN and TSM write it',
    splits: [''],
    options: {
      ...FOLDER,
      list: 'the list (needed)',
      classes: 'number of classes (needed)',
      pattern: 'names of frames (default img_%05d.jpg)',
    },
    open: async (request) => {
      const { files, options, signal } = request;
      const pattern = options.get('pattern') ?? 'img_%05d.jpg';
      const folder = options.get('folder');
      const more = { pattern, classes: count(options, 'classes'), signal, ...(folder && { folder }) };
      return clips(request, await indexFrameList(files, needed(options, 'list'), more));
    },
  },
  ade20k: {
    title: 'ADE20K (SceneParse150)',
    splits: ['validation', 'training'],
    options: { folder: 'folder with images and annotations (default ADEChallengeData2016)' },
    published: { training: 20_210, validation: 2_000 },
    open: async ({ files, split, options, signal }) => {
      const folder = options.get('folder');
      const index = await indexAde20k(files, {
        split: split === 'training' ? 'training' : 'validation',
        signal,
        ...(folder && { folder }),
      });
      return { index, dataset: segmentationDataset(index, { files, decode: decodeImage }) };
    },
  },
  coco: {
    title: 'COCO detection and instances',
    splits: ['val2017', 'train2017'],
    options: { ...FOLDER, annotations: 'the JSON (default annotations/instances_<split>.json)' },
    published: { train2017: 118_287, val2017: 5_000 },
    open: async ({ files, split, options, signal, onProgress }) => {
      const annotations = options.get('annotations') ?? `annotations/instances_${split}.json`;
      const index = await indexCoco(files, {
        annotations,
        images: options.get('folder') ?? split,
        signal,
        onProgress: ({ done, total }) => onProgress(done, total),
      });
      const { objects, crowds, clipped, withoutArea, imagesWithoutObjects } = index.counts;
      const notes = [
        `${counted(objects, 'object')}, ${counted(crowds, 'crowd')} among them; ${counted(imagesWithoutObjects, 'image')} without any`,
        `${counted(clipped, 'box', 'boxes')} cut to the image, ${counted(withoutArea, 'object')} without area left out`,
      ];
      return { index, dataset: cocoDataset(index, { files, decode: decodeImage, masks: true }), notes };
    },
  },
  ...idx(
    'mnist',
    'MNIST',
    Array.from({ length: 10 }, (_, digit) => String(digit)),
  ),
  ...idx('fashion-mnist', 'Fashion-MNIST', FASHION_MNIST_CLASSES),
};

function kinetics(classCount: number): Record<string, Installation> {
  return {
    [`kinetics${classCount}`]: {
      title: `Kinetics-${classCount}`,
      splits: ['val', 'train', 'test'],
      options: {
        ...FOLDER,
        csv: 'the list (default <split>.csv)',
        layout: 'classes (default) or flat',
        classes: 'a file with the names of the classes (default: those in the list)',
      },
      open: async (request) => {
        const { files, split, options, signal } = request;
        const layout = choice(options, 'layout', ['classes', 'flat']);
        const list = options.get('classes');
        const index = await indexKinetics(files, {
          csv: options.get('csv') ?? `${split}.csv`,
          folder: options.get('folder') ?? split,
          layout,
          classCount,
          signal,
          ...(list && { classes: { list } }),
        });
        return clips(request, index);
      },
    },
  };
}

function fineGym(classes: 99 | 288): Record<string, Installation> {
  const versions: Record<string, string> = { train: '_v1.1' };
  return {
    [`finegym${classes}`]: {
      title: `FineGym, Gym${classes}`,
      splits: ['val', 'train'],
      options: {
        ...FOLDER,
        list: 'the list',
        categories: 'the classes',
        layout: 'subactions (default), events or videos',
        annotation: 'for layouts events and videos: the JSON with the times',
      },
      open: async (request) => {
        const { files, split, options, signal } = request;
        const [folder, annotation] = [options.get('folder'), options.get('annotation')];
        const index = await indexFineGym(files, {
          list: options.get('list') ?? `gym${classes}_${split}_element${versions[split] ?? ''}.txt`,
          categories: options.get('categories') ?? `gym${classes}_categories.txt`,
          layout: choice(options, 'layout', ['subactions', 'events', 'videos']),
          signal,
          ...(folder && { folder }),
          ...(annotation && { annotation }),
        });
        return clips(request, index);
      },
    },
  };
}

function idx(key: string, title: string, classes: readonly string[]): Record<string, Installation> {
  return {
    [key]: {
      title,
      splits: ['test', 'train'],
      options: { folder: 'folder of the four files (default: the root)' },
      published: { train: 60_000, test: 10_000 },
      open: async ({ files, split, options, signal }) => {
        const set = await readIdxSet(files, { folder: options.get('folder') ?? '', name: title, signal });
        const part = split === 'train' ? set.train : set.test;
        const entries = Array.from(part.labels, (label, i): SampleInfo => ({ id: String(i), path: '', label }));
        const dataset = labelledImagesDataset(part, { name: title, classes });
        return { index: { name: `${title} ${split}`, classes, entries, absent: [] }, dataset };
      },
    },
  };
}

function imageNetOptions({ split, options, signal }: OpenRequest): Parameters<typeof indexImageNet>[1] {
  const path = options.get('synsets');
  const guess = path?.endsWith('.mat') ? 'mat' : 'words';
  const format = choice(options, 'synsetFormat', [guess, 'mat', 'clsloc', 'words']) as SynsetSource['format'];
  const common = { folder: options.get('folder') ?? split, signal, ...(path && { synsets: { path, format } }) };
  switch (choice(options, 'layout', ['folders', 'list', 'devkit'])) {
    case 'list':
      return { ...common, layout: 'list', list: needed(options, 'list') };
    case 'devkit':
      return { ...common, layout: 'devkit', groundTruth: needed(options, 'groundTruth') };
    default:
      return { ...common, layout: 'folders' };
  }
}

function images({ files }: OpenRequest, index: SampleIndex): OpenedInstallation {
  return { index, dataset: imageDataset(index, { files, decode: decodeImage }) };
}

/** Of a clip, the first, the middle and the last frame are read. */
function clips<E extends ClipEntry>({ files }: OpenRequest, index: SampleIndex<E>): OpenedInstallation {
  const sampler = (length: number) => [...new Set([0, Math.floor(length / 2), length - 1])].filter((k) => k >= 0);
  const dataset = clipDataset(index, {
    files,
    decode: decodeImage,
    openVideo: (file, { signal }) => openVideo(file, { signal }),
    sampler,
  });
  return { index, dataset };
}

function needed(options: ReadonlyMap<string, string>, name: string): string {
  const value = options.get(name);
  if (value !== undefined) return value;
  throw new UsageError(`this data set needs --option ${name}=...`);
}

function count(options: ReadonlyMap<string, string>, name: string): number {
  const value = Number(needed(options, name));
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw new UsageError(`--option ${name}= takes an integer >= 1, got ${options.get(name)}.`);
}

/** The first choice is the default. */
function choice<const T extends string>(
  options: ReadonlyMap<string, string>,
  name: string,
  choices: readonly [T, ...T[]],
): T {
  const value = options.get(name) ?? choices[0];
  const found = choices.find((one) => one === value);
  if (found !== undefined) return found;
  throw new UsageError(`--option ${name}= takes ${[...new Set(choices)].join(', ')}, got ${value}.`);
}
