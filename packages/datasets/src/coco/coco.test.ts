import { describe, expect, it } from 'vitest';
import { DatasetError } from '../errors.ts';
import { blobFiles } from '../files/blobFiles.ts';
import { cocoDataset } from './cocoDataset.ts';
import { type CocoOptions, indexCoco } from './indexCoco.ts';
import { type ArrayElement, readJsonArrays } from './jsonArrays.ts';

async function* inChunks(text: string | Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  const bytes = typeof text === 'string' ? new TextEncoder().encode(text) : text;
  for (let start = 0; start < bytes.byteLength; start += size) yield bytes.slice(start, start + size);
}

async function elements(
  text: string | Uint8Array,
  keys: string[],
  size = 7,
  maxElementBytes = 1000,
): Promise<ArrayElement[]> {
  const found: ArrayElement[] = [];
  const options = { keys, source: 'a.json', maxElementBytes };
  for await (const element of readJsonArrays(inChunks(text, size), options)) found.push(element);
  return found;
}

describe('readJsonArrays', () => {
  const value = {
    info: { 'a "quoted" key': ['[', '}', '\\"', { deep: [[1], []] }], number: -1.5e3 },
    images: [{ id: 1, name: 'x]},"' }, [], 'ü\\', -2.5, true, null, {}],
    empty: [],
    'k\u00fcr': 3,
    annotations: [[1, [2]], 4],
  };

  it('gives the elements of the arrays, however the text is cut and spaced', async () => {
    for (const text of [JSON.stringify(value), JSON.stringify(value, null, 3), `\ufeff${JSON.stringify(value)}\n`]) {
      for (const size of [1, 2, 3, 50, 10_000]) {
        const found = await elements(text, ['annotations', 'images', 'empty'], size);
        expect(found.map(({ key, index, value: element }) => [key, index, element])).toEqual([
          ...value.images.map((element, i) => ['images', i, element]),
          ...value.annotations.map((element, i) => ['annotations', i, element]),
        ]);
        const bytes = new TextEncoder().encode(text);
        for (const { start, end, value: element } of found) {
          expect(JSON.parse(new TextDecoder().decode(bytes.subarray(start, end)))).toEqual(element);
        }
      }
    }
  });

  it.each([
    ['[]'],
    [''],
    ['{"a":[1,2]'],
    ['{"a":[1,2'],
    ['{"a":[1 2]}'],
    ['{"a":[1,]}'],
    ['{"a":[,1]}'],
    ['{"a":{}}'],
    ['{"a":[1]}}'],
    ['{"a":[1]} 2'],
    ['{"a":[tru]}'],
    ['{"a":[01]}'],
    ['{"a":["\\x"]}'],
    ['{"a" [1]}'],
    ['{"b":1,}'],
    ['{a:[1]}'],
    ['{"a":[{"b":1]]}'],
    ['{"a":["abc]}'],
    [`{"a":["${'x'.repeat(2000)}"]}`],
    [`{"${'x'.repeat(2000)}":1}`],
    [`{"a":[${'['.repeat(2000)}`],
  ])('refuses %.40s', async (text) => {
    await expect(elements(text, ['a'])).rejects.toMatchObject({ name: 'DatasetError', code: 'annotation' });
  });

  it('refuses what is no text in UTF-8', async () => {
    const bytes = new TextEncoder().encode('{"a":["?"]}');
    bytes[7] = 0xff;
    await expect(elements(bytes, ['a'])).rejects.toThrow(/UTF-8/);
  });

  it('keeps no more than an element: 8 MB pass through a few hundred bytes', async () => {
    const block = new TextEncoder().encode(`${' '.repeat(65_000)}{"id":1},`);
    async function* large() {
      yield new TextEncoder().encode('{"skip":"');
      for (let i = 0; i < 60; i++) yield block.map(() => 0x61);
      yield new TextEncoder().encode('","a":[');
      for (let i = 0; i < 60; i++) yield block;
      yield new TextEncoder().encode('0]}');
    }
    let count = 0;
    for await (const _ of readJsonArrays(large(), { keys: ['a'], source: 'a.json', maxElementBytes: 100 })) count++;
    expect(count).toBe(61);
  });
});

const ANNOTATION = {
  info: { year: 2017 },
  images: [
    { id: 139, width: 6, height: 4, file_name: '000139.jpg', license: 2 },
    { id: 285, width: 5, height: 5, file_name: 'sub/000285.jpg' },
    { id: 7, width: 3, height: 2, file_name: '7.jpg' },
  ],
  annotations: [
    {
      id: 1,
      image_id: 285,
      category_id: 90,
      bbox: [1, 1, 3, 2],
      area: 6,
      iscrowd: 0,
      segmentation: [[1, 1, 4, 1, 4, 3, 1, 3]],
    },
    {
      id: 2,
      image_id: 139,
      category_id: 1,
      bbox: [0, 0, 2, 4],
      area: 8,
      iscrowd: 1,
      segmentation: { size: [4, 6], counts: [0, 8, 16] },
    },
    { id: 3, image_id: 285, category_id: 1, bbox: [-1, 3.5, 3, 9], area: 2, segmentation: [[0, 3, 2, 3, 2, 5, 0, 5]] },
    { id: 4, image_id: 285, category_id: 1, bbox: [5, 5, 2, 2], segmentation: [] },
  ],
  categories: [
    { id: 90, name: 'toothbrush', supercategory: 'indoor' },
    { id: 1, name: 'person', supercategory: 'person' },
  ],
};

const filesOf = (annotation: unknown) =>
  blobFiles([
    ['annotations/a.json', new Blob([typeof annotation === 'string' ? annotation : JSON.stringify(annotation)])],
    ['val/000139.jpg', new Blob(['6x4'])],
    ['val/sub/000285.jpg', new Blob(['5x5'])],
    ['val/7.jpg', new Blob(['4x2'])],
  ]);

const index = (annotation: unknown = ANNOTATION, options: Partial<CocoOptions> = {}) =>
  indexCoco(filesOf(annotation), { annotations: 'annotations/a.json', images: 'val', ...options });

const rows = ({ data, width, height }: { data: Uint8Array; width: number; height: number }) =>
  Array.from({ length: height }, (_, y) => [...data.subarray(y * width, (y + 1) * width)].join(''));

describe('indexCoco', () => {
  it('makes dense classes of sparse ids, and boxes within the images', async () => {
    const coco = await index();
    expect(coco.name).toBe('COCO a');
    expect(coco.classes).toEqual(['person', 'toothbrush']);
    expect(coco.categories[1]).toEqual({ id: 90, name: 'toothbrush', group: 'indoor' });
    expect(coco.entries.map(({ id, path, label }) => [id, path, label])).toEqual([
      ['139', 'val/000139.jpg', -1],
      ['285', 'val/sub/000285.jpg', -1],
      ['7', 'val/7.jpg', -1],
    ]);
    expect(coco.objects(0)).toEqual([{ id: 2, label: 0, box: [0, 0, 2, 4], area: 8, crowd: true }]);
    expect(coco.objects(1)).toEqual([
      { id: 1, label: 1, box: [1, 1, 3, 2], area: 6, crowd: false },
      { id: 3, label: 0, box: [0, 3.5, 2, 1.5], area: 2, crowd: false },
    ]);
    expect(coco.objects(2)).toEqual([]);
    expect(coco.counts).toEqual({ objects: 3, crowds: 1, clipped: 2, withoutArea: 1, imagesWithoutObjects: 1 });
  });

  it('does not mind the order of the keys', async () => {
    const { images, annotations, categories } = ANNOTATION;
    const [straight, turned] = [await index(), await index({ annotations, categories, images })];
    expect(turned.objects(1)).toEqual(straight.objects(1));
    expect(await turned.masks(1)).toEqual(await straight.masks(1));
  });

  it('leaves out crowds, and images without objects, if told to', async () => {
    const coco = await index(ANNOTATION, { crowds: 'drop', withoutObjects: 'drop' });
    expect(coco.entries.map(({ id }) => id)).toEqual(['285']);
    expect(coco.counts).toMatchObject({ objects: 2, crowds: 0, imagesWithoutObjects: 2 });
    expect((await coco.masks(0)).map(({ data }) => data.reduce((a, b) => a + b, 0))).toEqual([6, 4]);
  });

  it('makes masks of outlines and of run lengths', async () => {
    const coco = await index();
    expect((await coco.masks(0)).map(rows)).toEqual([['110000', '110000', '110000', '110000']]);
    expect((await coco.masks(1)).map(rows)).toEqual([
      ['00000', '01110', '01110', '00000', '00000'],
      ['00000', '00000', '00000', '11000', '11000'],
    ]);
    expect(await coco.masks(2)).toEqual([]);
  });

  it('reads a file without annotations, as test sets have', async () => {
    const { images, categories } = ANNOTATION;
    const coco = await index({ images, categories });
    expect(coco.counts).toMatchObject({ objects: 0, imagesWithoutObjects: 3 });
  });

  const broken = (change: (annotation: typeof ANNOTATION) => void) => {
    const copy = structuredClone(ANNOTATION);
    change(copy);
    return copy;
  };
  it.each([
    [
      'an image outside of the root',
      broken((a) => (a.images[0]!.file_name = '../../etc/passwd')),
      'path',
      /below the root/,
    ],
    ['an absolute image', broken((a) => (a.images[0]!.file_name = '/etc/passwd')), 'path', /below the root/],
    [
      'an image that comes twice',
      broken((a) => (a.images[1]!.id = 139)),
      'annotation',
      /images\[1\], id: expected an id that no other/,
    ],
    [
      'a width of 0',
      broken((a) => (a.images[0]!.width = 0)),
      'annotation',
      /images\[0\], width: expected an integer >= 1/,
    ],
    ['an unknown image', broken((a) => (a.annotations[0]!.image_id = 5)), 'annotation', /annotation 1, image_id/],
    [
      'an unknown category',
      broken((a) => (a.annotations[0]!.category_id = 2)),
      'annotation',
      /annotation 1, category_id/,
    ],
    [
      'a box of three numbers',
      broken((a) => (a.annotations[1]!.bbox = [1, 2, 3])),
      'annotation',
      /annotations\[1\], bbox/,
    ],
    ['a negative box', broken((a) => (a.annotations[1]!.bbox = [1, 2, -3, 4])), 'annotation', /annotations\[1\], bbox/],
    [
      'a crowd that is neither',
      broken((a) => (a.annotations[1]!.iscrowd = 2)),
      'annotation',
      /iscrowd: expected 0 or 1/,
    ],
    ['a category without a name', broken((a) => (a.categories[0]!.name = '')), 'annotation', /categories\[0\], name/],
    [
      'an element that is none',
      { ...ANNOTATION, annotations: [3] },
      'annotation',
      /annotations\[0\]: expected an object/,
    ],
    ['text that is no JSON', '{"images": [{]', 'annotation', /JSON/],
    ['a file that is cut', JSON.stringify(ANNOTATION).slice(0, -30), 'annotation', /cut short/],
  ])('refuses %s', async (_, annotation, code, message) => {
    const reading = index(annotation);
    await expect(reading).rejects.toThrow(DatasetError);
    await expect(reading).rejects.toMatchObject({ code });
    await expect(reading).rejects.toThrow(message);
  });

  it.each([
    [
      'run lengths of another size',
      broken((a) => ((a.annotations[1] as { segmentation: unknown }).segmentation = { size: [2, 2], counts: [4] })),
      /size of its image, 4 x 6, got 2 x 2/,
    ],
    [
      'run lengths that do not add up',
      broken((a) => ((a.annotations[1] as { segmentation: unknown }).segmentation = { size: [4, 6], counts: [4] })),
      /runs of 24 pixels/,
    ],
    [
      'no segmentation',
      broken((a) => ((a.annotations[1] as { segmentation?: unknown }).segmentation = undefined)),
      /height and width/,
    ],
  ])('gives no mask of %s', async (_, annotation, message) => {
    const coco = await index(annotation);
    const masks = coco.masks(0);
    await expect(masks).rejects.toMatchObject({ name: 'DatasetError', code: 'mask' });
    await expect(masks).rejects.toThrow(message);
  });

  it('reports how far it is, and stops when asked', async () => {
    const seen: { done: number; total: number }[] = [];
    await index(ANNOTATION, { onProgress: (progress) => seen.push(progress) });
    const last = seen.at(-1);
    expect(last?.done).toBe(last?.total);
    const abort = new AbortController();
    abort.abort();
    await expect(index(ANNOTATION, { signal: abort.signal })).rejects.toMatchObject({ name: 'AbortError' });
  });
});

describe('cocoDataset', () => {
  /** Images whose files say how large they are. */
  const decode = async (bytes: Uint8Array | Blob | ArrayBuffer) => {
    const [width = 0, height = 0] = new TextDecoder()
      .decode(bytes as Uint8Array)
      .split('x')
      .map(Number);
    return { width, height, channels: 3, data: new Uint8Array(3 * width * height) };
  };

  it('reads images with objects and masks', async () => {
    const files = filesOf(ANNOTATION);
    const dataset = cocoDataset(await index(), { files, decode: decode as never, masks: true });
    expect(dataset.length).toBe(3);
    const { image, objects, masks, width, id } = await dataset.get(1);
    expect([image.width, width, id]).toEqual([5, 5, '285']);
    expect(objects.map(({ label }) => dataset.classes[label])).toEqual(['toothbrush', 'person']);
    expect(masks?.map(({ height }) => height)).toEqual([5, 5]);
    await expect(dataset.get(2)).rejects.toThrow(/val\/7\.jpg: expected an image of 3 x 2 pixels.*got 4 x 2/);
    expect((await cocoDataset(await index(), { files, decode: decode as never }).get(0)).masks).toBeUndefined();
  });
});
