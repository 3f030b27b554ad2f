import { indexImageFolder } from '../adapters/imageFolder.ts';
import { checkPresence } from '../adapters/presence.ts';
import { annotationError, labelFrom, lineOf, linesOf, readText, wholeNumber } from '../annotations/text.ts';
import type { SampleIndex } from '../createDataset.ts';
import type { SampleInfo } from '../dataset.ts';
import { DatasetError } from '../errors.ts';
import type { Files } from '../files/files.ts';
import { insideRoot, joinPath, stemOf } from '../files/paths.ts';
import { labelsOfIds, readSynsets, type SynsetSource } from './synsets.ts';

/** Options that all three layouts share. */
export interface ImageNetOptions {
  /** the folder of the images, such as `train` or `val` */
  readonly folder: string;
  /**
   * where the classes are listed. Needed for their names and, in the devkit layout, for the labels. Without it the classes of
   * the folder layout are its folders, of which there must be 1000.
   */
  readonly synsets?: SynsetSource;
  readonly signal?: AbortSignal | undefined;
}

/** Where the labels of ImageNet come from. */
export type ImageNetLayout =
  /** one folder a class, named by its WordNet id: the train set, and a val set sorted into folders, as torchvision reads them */
  | { readonly layout: 'folders' }
  /** images side by side, and a list `ILSVRC2012_val_00000001.JPEG 65` with labels from 0 in the order of WordNet ids (Caffe) */
  | { readonly layout: 'list'; readonly list: string }
  /**
   * images `ILSVRC2012_val_00000001.JPEG` side by side, and the devkit's ground truth: line i is the class of image i by its
   * ILSVRC2012_ID, **which is no label**: `synsets` with ids translates it
   */
  | { readonly layout: 'devkit'; readonly groundTruth: string };

const CLASSES = 1000;

/**
 * ImageNet-1K in the three layouts in which it is kept. In all of them a label is the position among the sorted WordNet ids, as
 * published checkpoints have it.
 *
 * @returns classes named by their words where `synsets` is given, by WordNet ids else; images that a list names and the folder
 *   lacks are in `absent`
 * @throws DatasetError `missing`, `annotation`, `labels` for a label or id that the classes do not have, `path`
 */
export async function indexImageNet(files: Files, options: ImageNetOptions & ImageNetLayout): Promise<SampleIndex> {
  const folder = insideRoot(options.folder);
  const synsets = options.synsets && (await readSynsets(files, options.synsets, options.signal));
  const name = `ImageNet ${folder}`;
  const classes = synsets?.map(({ wnid, words }) => words || wnid);
  if (options.layout === 'folders') {
    const wnids = synsets?.map(({ wnid }) => wnid);
    const index = await indexImageFolder(files, {
      folder,
      name,
      signal: options.signal,
      ...(wnids ? { classes: wnids, allowEmpty: true } : {}),
    });
    if (synsets === undefined && index.classes.length !== CLASSES) throw incomplete(folder, index.classes.length);
    return { ...index, classes: classes ?? index.classes };
  }
  let entries: SampleInfo[];
  if (options.layout === 'list') {
    const text = await readText(files, options.list, { signal: options.signal });
    entries = parseCaffeList(text, { folder, source: options.list, classes: classes?.length ?? CLASSES });
  } else {
    if (synsets === undefined || options.synsets === undefined) throw needsSynsets();
    const text = await readText(files, options.groundTruth, { signal: options.signal });
    const labels = labelsOfIds(synsets, options.synsets.path);
    entries = parseGroundTruth(text, { folder, source: options.groundTruth, labels });
  }
  const index = { name, classes: classes ?? unnamed(), entries, absent: [] };
  return checkPresence(index, files, { signal: options.signal });
}

/** Lines `<file> <label>`, labels from 0. */
function parseCaffeList(
  text: string,
  { folder, source, classes }: { folder: string; source: string; classes: number },
): SampleInfo[] {
  return linesOf(text).map(({ number, text: line }) => {
    const place = lineOf(source, number);
    const [file = '', label, ...more] = line.trim().split(/\s+/);
    if (label === undefined || more.length > 0) throw annotationError(place, '<file> <label>', line);
    return { id: stemOf(file), path: joinPath(folder, insideRoot(file)), label: labelFrom(label, classes, place) };
  });
}

/** One id a line, for the images in the order of their numbers. */
function parseGroundTruth(
  text: string,
  { folder, source, labels }: { folder: string; source: string; labels: ReadonlyMap<number, number> },
): SampleInfo[] {
  return linesOf(text).map(({ number, text: line }, position) => {
    const label = labels.get(wholeNumber(line.trim()) ?? -1);
    if (label === undefined) {
      throw annotationError(lineOf(source, number), `the id of one of ${labels.size} classes`, line, {
        code: 'labels',
      });
    }
    const id = `ILSVRC2012_val_${String(position + 1).padStart(8, '0')}`;
    return { id, path: joinPath(folder, `${id}.JPEG`), label };
  });
}

function unnamed(): string[] {
  return Array.from({ length: CLASSES }, (_, label) => `class ${label}`);
}

function incomplete(folder: string, found: number): DatasetError {
  return new DatasetError({
    code: 'labels',
    argument: folder,
    expected: `${CLASSES} folders, one a class`,
    actual: `${found}`,
    hint: 'With fewer, labels would not be those of the full set: list its classes in `synsets`.',
  });
}

function needsSynsets(): DatasetError {
  return new DatasetError({
    code: 'option',
    argument: 'synsets',
    expected: "the devkit's classes with their ids, which are not the labels",
    actual: 'none',
    hint: "Pass { path: '.../data/meta.mat', format: 'mat' }.",
  });
}
