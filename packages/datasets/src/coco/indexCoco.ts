import { annotationError } from '../annotations/text.ts';
import type { SampleIndex } from '../createDataset.ts';
import type { SampleInfo } from '../dataset.ts';
import { fileChunks } from '../files/chunks.ts';
import type { Files } from '../files/files.ts';
import { insideRoot, joinPath } from '../files/paths.ts';
import { readJsonArrays } from './jsonArrays.ts';
import { asRecord, type CocoObject, clipBox, integerIn, ObjectTable, parseObject, textIn } from './objects.ts';
import { parsePolygons, polygonMask } from './polygons.ts';
import { decodeRle, type Mask, maskError, parseRle } from './rle.ts';

/** An image of a data set in COCO's form. */
export interface CocoEntry extends SampleInfo {
  readonly imageId: number;
  readonly width: number;
  readonly height: number;
}

/** A category, as the annotation has it. */
export interface CocoCategory {
  /** not dense: of 80 categories of COCO, the last has the id 90 */
  readonly id: number;
  readonly name: string;
  readonly group: string | undefined;
}

/** What the annotation of a data set in COCO's form says. */
export interface CocoIndex extends SampleIndex<CocoEntry> {
  /** by label: `categories[label].id` is what results for COCO's servers are to name */
  readonly categories: readonly CocoCategory[];
  /** the objects of an image, by its number, in the order of the file */
  objects(index: number): readonly CocoObject[];
  /**
   * The masks of the objects of an image, in the order of `objects`. Their outlines are read from the file again: they are not kept.
   *
   * @throws DatasetError `mask` for one that is none; `annotation` if the file has changed; `missing`; the signal's reason
   */
  masks(index: number, options?: { readonly signal?: AbortSignal | undefined }): Promise<readonly Mask[]>;
  readonly counts: CocoCounts;
}

export interface CocoCounts {
  readonly objects: number;
  readonly crowds: number;
  /** boxes that reached out of their images and were cut */
  readonly clipped: number;
  /** objects that were left out, since no part of their box with an area lies in the image */
  readonly withoutArea: number;
  readonly imagesWithoutObjects: number;
}

/** Options of {@link indexCoco}. */
export interface CocoOptions {
  /** `annotations/instances_val2017.json` */
  readonly annotations: string;
  /** the folder of the images, `val2017`; default the root */
  readonly images?: string | undefined;
  /** default `COCO` with the name of the annotation file */
  readonly name?: string | undefined;
  /** what becomes of crowds: default `keep` */
  readonly crowds?: 'keep' | 'drop' | undefined;
  /** what becomes of images without any (other) object: default `keep`; training code of torchvision drops them */
  readonly withoutObjects?: 'keep' | 'drop' | undefined;
  readonly signal?: AbortSignal | undefined;
  /** bytes of the annotation that were read */
  readonly onProgress?: ((progress: { readonly done: number; readonly total: number }) => void) | undefined;
}

/**
 * Detection and instance segmentation in COCO's form: one JSON file with `images`, `annotations` and `categories`. It is read as a
 * stream, and of each object some 170 bytes are kept (measured with 200,000 objects of 30,000 images, 96 MB of JSON).
 *
 * Classes are the categories in the order of their ids. Boxes are cut to their images. The label of a whole image is -1.
 *
 * @throws DatasetError `missing`; `annotation` for a file that is not of this form; `path` for an image outside of the root
 */
export async function indexCoco(files: Files, options: CocoOptions): Promise<CocoIndex> {
  const { annotations: path, crowds = 'keep', withoutObjects = 'keep', signal, onProgress } = options;
  const folder = insideRoot(options.images ?? '');
  const images = new Map<number, CocoEntry>();
  const categories = new Map<number, CocoCategory>();
  const table = new ObjectTable();
  const { size: total = 0 } = (await files.stat(path)) ?? {};
  const elements = readJsonArrays(fileChunks(files, path, { signal }), { keys: KEYS, source: path });
  for await (const { key, index, value, start, end } of elements) {
    const place = `${path}, ${key}[${index}]`;
    if (key === 'annotations') {
      const object = parseObject(value, place);
      if (!object.crowd || crowds === 'keep') table.add(object, start, end);
    } else if (key === 'images') {
      addOnce(images, parseImage(value, folder, place), ({ imageId }) => imageId, place);
    } else {
      addOnce(categories, parseCategory(value, place), ({ id }) => id, place);
    }
    if (index % 1000 === 0) onProgress?.({ done: end, total });
  }
  onProgress?.({ done: total, total });

  const sorted = [...categories.values()].sort((a, b) => a.id - b.id);
  const labels = new Map(sorted.map(({ id }, label) => [id, label]));
  const rows = new Map<number, number[]>();
  const counts = { objects: 0, crowds: 0, clipped: 0, withoutArea: 0 };
  for (let row = 0; row < table.length; row++) {
    const { id, imageId, categoryId, box, crowd } = table.raw(row);
    const image = images.get(imageId);
    const place = `${path}, annotation ${id}`;
    if (image === undefined) throw annotationError(`${place}, image_id`, 'the id of an image', String(imageId));
    if (!labels.has(categoryId))
      throw annotationError(`${place}, category_id`, 'the id of a category', String(categoryId));
    const clipped = clipBox(box, image);
    if (clipped.some((value, i) => value !== box[i])) counts.clipped++;
    if (!(clipped[2] > 0 && clipped[3] > 0)) {
      counts.withoutArea++;
      continue;
    }
    counts.objects++;
    if (crowd) counts.crowds++;
    const known = rows.get(imageId);
    if (known === undefined) rows.set(imageId, [row]);
    else known.push(row);
  }
  const all = [...images.values()];
  const entries = withoutObjects === 'keep' ? all : all.filter(({ imageId }) => rows.has(imageId));
  const rowsOf = (index: number) => rows.get(entries[index]?.imageId as number) ?? [];
  return {
    name: options.name ?? `COCO ${path.replace(/^.*\//, '').replace(/\.json$/, '')}`,
    classes: sorted.map(({ name }) => name),
    categories: sorted,
    entries,
    absent: [],
    counts: { ...counts, imagesWithoutObjects: all.length - rows.size },
    objects: (index) =>
      rowsOf(index).map((row) => {
        const { id, categoryId, box, area, crowd } = table.raw(row);
        const label = labels.get(categoryId) as number;
        return { id, label, box: clipBox(box, entries[index] as CocoEntry), area, crowd };
      }),
    masks: (index, reading) => {
      const wanted = rowsOf(index).map((row) => ({ id: table.raw(row).id, span: table.span(row) }));
      return readMasks(files, path, wanted, entries[index], reading?.signal);
    },
  };
}

const KEYS = ['images', 'annotations', 'categories'];

function addOnce<T>(known: Map<number, T>, item: T, idOf: (item: T) => number, place: string): void {
  const id = idOf(item);
  if (known.has(id)) throw annotationError(`${place}, id`, 'an id that no other has', String(id));
  known.set(id, item);
}

function parseImage(value: unknown, folder: string, place: string): CocoEntry {
  const fields = asRecord(value, place);
  const imageId = integerIn(fields, 'id', place);
  return {
    id: String(imageId),
    imageId,
    path: joinPath(folder, insideRoot(textIn(fields, 'file_name', place))),
    label: -1,
    width: integerIn(fields, 'width', place, 1),
    height: integerIn(fields, 'height', place, 1),
  };
}

function parseCategory(value: unknown, place: string): CocoCategory {
  const fields = asRecord(value, place);
  const { supercategory: group } = fields;
  return {
    id: integerIn(fields, 'id', place),
    name: textIn(fields, 'name', place),
    group: typeof group === 'string' ? group : undefined,
  };
}

async function readMasks(
  files: Files,
  path: string,
  wanted: readonly { readonly id: number; readonly span: readonly [number, number] }[],
  image: CocoEntry | undefined,
  signal: AbortSignal | undefined,
): Promise<Mask[]> {
  if (image === undefined || wanted.length === 0) return [];
  const file = await files.open(path);
  try {
    const masks: Mask[] = [];
    for (const { id, span } of wanted) {
      signal?.throwIfAborted();
      const place = `${path}, annotation ${id}`;
      const fields = parseAgain(await file.read(...span), place);
      if (fields.id !== id) throw annotationError(place, 'the file that was opened', 'one that has changed since');
      masks.push(maskOf(fields.segmentation, image, `${place}, segmentation`));
    }
    return masks;
  } finally {
    await file.close();
  }
}

function parseAgain(bytes: Uint8Array, place: string): Readonly<Record<string, unknown>> {
  try {
    return asRecord(JSON.parse(new TextDecoder().decode(bytes)), place);
  } catch (cause) {
    throw annotationError(place, 'the file that was opened', 'one that has changed since', { cause });
  }
}

/** A list is of outlines, an object of run lengths. */
function maskOf(segmentation: unknown, image: CocoEntry, place: string): Mask {
  if (Array.isArray(segmentation)) return polygonMask(parsePolygons(segmentation, place), image);
  const rle = parseRle(segmentation, place);
  if (rle.height === image.height && rle.width === image.width) return decodeRle(rle);
  throw maskError(place, `the size of its image, ${image.height} x ${image.width}`, `${rle.height} x ${rle.width}`);
}
