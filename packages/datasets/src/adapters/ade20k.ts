import { parseTable } from '../annotations/table.ts';
import { annotationError, labelFrom, lineOf, linesOf, readText } from '../annotations/text.ts';
import type { SampleIndex } from '../createDataset.ts';
import { DatasetError } from '../errors.ts';
import type { Files } from '../files/files.ts';
import { insideRoot, joinPath, stemOf } from '../files/paths.ts';
import type { SegmentationEntry } from '../segmentation/segmentationDataset.ts';

/** An image of ADE20K. */
export interface Ade20kEntry extends SegmentationEntry {
  /** `airport_terminal`; undefined without a list of scenes */
  readonly scene: string | undefined;
}

/** Options of {@link indexAde20k}. */
export interface Ade20kOptions {
  readonly split: 'training' | 'validation';
  /** the folder with `images`, `annotations`, `objectInfo150.txt`; default `ADEChallengeData2016` */
  readonly folder?: string;
  /** default `objectInfo150.txt` in the folder: a table with columns Idx and Name */
  readonly objects?: string;
  /** default `sceneCategories.txt` in the folder, if it is there: lines `ADE_train_00000001 airport_terminal` */
  readonly scenes?: string;
  /** default 150 */
  readonly classCount?: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * ADE20K as SceneParse150: `images/<split>/<id>.jpg` and `annotations/<split>/<id>.png`, whose pixels are 0 for other things and
 * 1 ... 150 for objects. {@link segmentationDataset} makes labels of them.
 *
 * An image without annotation is in `absent`. The label of a whole image is -1: classes belong to pixels.
 *
 * @throws DatasetError `missing`, `annotation`, `labels`
 */
export async function indexAde20k(files: Files, options: Ade20kOptions): Promise<SampleIndex<Ade20kEntry>> {
  const { split, classCount = 150, signal } = options;
  const folder = insideRoot(options.folder ?? 'ADEChallengeData2016');
  const objects = options.objects ?? joinPath(folder, 'objectInfo150.txt');
  const classes = parseObjects(await readText(files, objects, { signal }), objects, classCount);
  const scenes = await readScenes(files, options.scenes, joinPath(folder, 'sceneCategories.txt'), signal);

  const [images, masks] = [joinPath(folder, 'images', split), joinPath(folder, 'annotations', split)];
  const known = new Set((await files.list(masks, { signal })).map(({ name }) => name));
  const entries: Ade20kEntry[] = [];
  const absent: Ade20kEntry[] = [];
  for (const { name } of await files.list(images, { signal })) {
    if (!name.toLowerCase().endsWith('.jpg')) continue;
    const id = stemOf(name);
    const entry = {
      id,
      path: joinPath(images, name),
      mask: joinPath(masks, `${id}.png`),
      label: -1,
      scene: scenes?.get(id),
    };
    (known.has(`${id}.png`) ? entries : absent).push(entry);
  }
  if (entries.length === 0) {
    throw new DatasetError({
      code: 'missing',
      argument: images,
      expected: 'images with annotations of the same names',
      actual: 'none',
    });
  }
  return { name: `ADE20K ${split}`, classes, entries, absent };
}

/** A table with a header, separated by tabs; `Idx` counts from 1, some cells end in spaces. */
function parseObjects(text: string, source: string, count: number): string[] {
  const [header, ...rows] = parseTable(text, '\t', source);
  const names = header?.fields.map((field) => field.trim()) ?? [];
  const [idx, name] = [names.indexOf('Idx'), names.indexOf('Name')];
  if (idx < 0 || name < 0) throw annotationError(lineOf(source, 1), 'the columns Idx and Name', names.join(' '));
  const classes: string[] = [];
  for (const { line, fields } of rows) {
    const place = lineOf(source, line);
    const label = labelFrom(fields[idx]?.trim(), count, place, 1);
    const object = fields[name]?.trim();
    if (!object || label !== classes.length)
      throw annotationError(place, `number ${classes.length + 1} and a name`, fields.join(' '));
    classes.push(object);
  }
  if (classes.length !== count) {
    throw annotationError(source, `${count} objects`, String(classes.length), { code: 'labels' });
  }
  return classes;
}

async function readScenes(
  files: Files,
  given: string | undefined,
  usual: string,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, string> | undefined> {
  if (given === undefined && (await files.stat(usual)) === undefined) return undefined;
  const source = given ?? usual;
  return new Map(
    linesOf(await readText(files, source, { signal })).map(({ number, text }) => {
      const [id = '', scene, ...more] = text.trim().split(/\s+/);
      if (scene === undefined || more.length > 0)
        throw annotationError(lineOf(source, number), '<image> <scene>', text);
      return [id, scene] as const;
    }),
  );
}
