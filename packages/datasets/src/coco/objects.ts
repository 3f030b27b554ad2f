import { annotationError } from '../annotations/text.ts';

/** x and y of the upper left corner, width, height, in pixels. `Box` of `@saccade/media` has edges: `right = x + width`. */
export type CocoBox = readonly [x: number, y: number, width: number, height: number];

/** An object of an image. */
export interface CocoObject {
  /** as the annotation numbers it */
  readonly id: number;
  /** 0-based class */
  readonly label: number;
  /** within the image */
  readonly box: CocoBox;
  /** of the mask, pixels, as the annotation says */
  readonly area: number;
  /** several objects that nobody told apart: evaluations neither reward nor punish what is found there */
  readonly crowd: boolean;
}

/** An object as its annotation says, before the rest of the file is known. */
export interface RawObject {
  readonly id: number;
  readonly imageId: number;
  readonly categoryId: number;
  readonly box: CocoBox;
  readonly area: number;
  readonly crowd: boolean;
}

/** @throws DatasetError `annotation` */
export function parseObject(value: unknown, place: string): RawObject {
  const fields = asRecord(value, place);
  const { bbox, iscrowd = 0, area } = fields;
  const good = Array.isArray(bbox) && bbox.length === 4 && bbox.every(Number.isFinite);
  if (!good || !(bbox[2] >= 0) || !(bbox[3] >= 0)) {
    throw annotationError(`${place}, bbox`, '[x, y, width, height], finite numbers', JSON.stringify(bbox) ?? 'nothing');
  }
  if (iscrowd !== 0 && iscrowd !== 1) throw annotationError(`${place}, iscrowd`, '0 or 1', String(iscrowd));
  const box = bbox as unknown as CocoBox;
  return {
    id: integerIn(fields, 'id', place),
    imageId: integerIn(fields, 'image_id', place),
    categoryId: integerIn(fields, 'category_id', place),
    box,
    area: typeof area === 'number' && Number.isFinite(area) ? area : box[2] * box[3],
    crowd: iscrowd === 1,
  };
}

/** The part of a box that lies in an image. */
export function clipBox(
  [x, y, width, height]: CocoBox,
  image: { readonly width: number; readonly height: number },
): CocoBox {
  const [left, top] = [Math.min(Math.max(x, 0), image.width), Math.min(Math.max(y, 0), image.height)];
  const right = Math.min(Math.max(x + width, 0), image.width);
  const bottom = Math.min(Math.max(y + height, 0), image.height);
  // A box that lies inside keeps its numbers to the bit.
  const inside = left === x && top === y && right === x + width && bottom === y + height;
  return [left, top, inside ? width : right - left, inside ? height : bottom - top];
}

/** Objects in columns of numbers: hundreds of thousands fit into memory. */
export class ObjectTable {
  readonly #numbers: Record<'id' | 'image' | 'category' | 'area' | 'start' | 'end', number[]> = {
    id: [],
    image: [],
    category: [],
    area: [],
    start: [],
    end: [],
  };
  readonly #boxes: number[] = [];
  readonly #crowds: boolean[] = [];

  get length(): number {
    return this.#crowds.length;
  }

  /** @param start where the text of the annotation begins in its file, and where it ends, in bytes */
  add({ id, imageId, categoryId, box, area, crowd }: RawObject, start: number, end: number): void {
    const row = { id, image: imageId, category: categoryId, area, start, end };
    for (const [column, value] of Object.entries(row)) this.#numbers[column as keyof typeof row].push(value);
    this.#boxes.push(...box);
    this.#crowds.push(crowd);
  }

  raw(row: number): RawObject {
    const { id, image, category, area } = this.#numbers;
    const [x, y, width, height] = this.#boxes.slice(4 * row, 4 * row + 4) as [number, number, number, number];
    return {
      id: id[row] as number,
      imageId: image[row] as number,
      categoryId: category[row] as number,
      box: [x, y, width, height],
      area: area[row] as number,
      crowd: this.#crowds[row] as boolean,
    };
  }

  span(row: number): readonly [start: number, end: number] {
    return [this.#numbers.start[row] as number, this.#numbers.end[row] as number];
  }
}

/** @throws DatasetError `annotation` */
export function asRecord(value: unknown, place: string): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw annotationError(place, 'an object { ... }', JSON.stringify(value) ?? 'nothing');
}

/** @throws DatasetError `annotation` */
export function integerIn(fields: Readonly<Record<string, unknown>>, name: string, place: string, least = 0): number {
  const value = fields[name];
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= least) return value;
  throw annotationError(`${place}, ${name}`, `an integer >= ${least}`, JSON.stringify(value) ?? 'nothing');
}

/** @throws DatasetError `annotation` */
export function textIn(fields: Readonly<Record<string, unknown>>, name: string, place: string): string {
  const value = fields[name];
  if (typeof value === 'string' && value !== '') return value;
  throw annotationError(`${place}, ${name}`, 'text', JSON.stringify(value) ?? 'nothing');
}
