import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { encode } from 'fast-png';
import { create } from 'tar';
import { describe, expect, it } from 'vitest';
import { Interrupted } from '../terminal/interrupt.ts';
import { Folder, saccade } from '../testing/cli.ts';
import { INSTALLATIONS } from './installations.ts';

const png = (width: number, height: number) =>
  encode({ width, height, channels: 3, data: new Uint8Array(3 * width * height).fill(90) });

async function install(folder: Folder, files: Record<string, string | Uint8Array>): Promise<string> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder.path, path)), { recursive: true });
    await writeFile(join(folder.path, path), content);
  }
  return folder.path;
}

const check = (dataset: string, root: string, ...more: string[]) =>
  saccade(['data', 'check', '--dataset', dataset, '--root', root, ...more]);

const IMAGES = { 'cats/1.png': png(4, 3), 'cats/2.png': png(2, 2), 'dogs/1.png': png(3, 3) };

describe('saccade data check', () => {
  it('finds a sound installation sound', async () => {
    await using folder = await Folder.make();
    const root = await install(folder, IMAGES);
    expect(await check('image-folder', root)).toEqual({
      code: 0,
      err: '',
      out: `Images in a folder for each class below ${root}
ok    annotation  3 samples, 2 classes
ok    files       all are there
ok    decoding    all were read
ok    classes     1 to 2 samples a class

| label | class | samples |
| ----: | :---- | ------: |
|     0 | cats  |       2 |
|     1 | dogs  |       1 |
`,
    });
  });

  it('lists broken files, and ends with 1', async () => {
    await using folder = await Folder.make();
    const root = await install(folder, { ...IMAGES, 'dogs/2.png': png(8, 8).slice(0, 60), 'dogs/3.png': 'no picture' });
    const { code, out, err } = await check('image-folder', root);
    expect(code).toBe(1);
    expect(out).toMatch(
      /FAIL {2}decoding {4}2 samples cannot be read \(all were tried\)\n {18}dogs\/2\.png: .*\n {18}dogs\/3\.png: /,
    );
    expect(out).toMatch(/copy or download these again/);
    expect(err).toMatch(/is not complete and sound/);
    // None of those that are drawn need be broken; without any, nothing is decoded.
    expect(await check('image-folder', root, '--sample', '0')).toMatchObject({ code: 0 });
  });

  it('lists missing files, beside the published figures', async () => {
    await using folder = await Folder.make();
    const lines = Array.from({ length: 9 }, (_, i) => `ILSVRC2012_val_0000000${i + 1}.JPEG ${i}`);
    const root = await install(folder, {
      'val.txt': lines.join('\n'),
      'val/ILSVRC2012_val_00000001.JPEG': png(2, 2),
      'val/ILSVRC2012_val_00000002.JPEG': png(2, 2),
    });
    const args = ['--option', 'layout=list', '--option', 'list=val.txt'];
    const { code, out } = await check('imagenet', root, ...args);
    expect(code).toBe(1);
    expect(out).toMatch(/ok {4}annotation {2}9 samples, 1,000 classes; published: 50,000 samples/);
    expect(out).toMatch(
      /FAIL {2}files {7}7 samples missing\n {18}val\/ILSVRC2012_val_00000003\.JPEG\n(.*\n){4} {18}and 2 more/,
    );
    const json = JSON.parse((await check('imagenet', root, ...args, '--json')).out);
    expect(json).toMatchObject({
      dataset: 'imagenet',
      root,
      samples: 9,
      published: 50_000,
      missing: { count: 7 },
      unreadable: { read: 2, of: 2, count: 0 },
      ok: false,
    });
    expect(json.missing.first).toHaveLength(7);
    expect(json.histogram).toHaveLength(1000);
  });

  it('reads clips of frames, at their beginning, middle and end', async () => {
    await using folder = await Folder.make();
    const frames = (clip: string, count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, t) => [`clips/${clip}/img_0000${t + 1}.jpg`, png(2, 2)]));
    const root = await install(folder, { ...frames('a', 3), ...frames('b', 3), 'list.txt': 'a 3 0\nb 4 1\nc 2 1\n' });
    const { code, out } = await check(
      ...(['frame-list', root] as const),
      ...['list=list.txt', 'classes=2', 'folder=clips'].flatMap((option) => ['--option', option]),
    );
    expect(code).toBe(1);
    expect(out).toMatch(/1 sample missing\n {18}clips\/c\n/);
    expect(out).toMatch(/1 sample cannot be read.*\n {18}clips\/b\/img_00004\.jpg/);
  });

  it('checks objects and masks of COCO', async () => {
    await using folder = await Folder.make();
    const annotation = {
      images: [{ id: 1, width: 4, height: 4, file_name: '1.png' }],
      annotations: [
        { id: 1, image_id: 1, category_id: 7, bbox: [0, 0, 9, 2], segmentation: { size: [4, 4], counts: [3, 4] } },
      ],
      categories: [{ id: 7, name: 'cat' }],
    };
    const root = await install(folder, {
      'annotations/instances_val2017.json': JSON.stringify(annotation),
      'val2017/1.png': png(4, 4),
    });
    const { code, out } = await check('coco', root);
    expect(code).toBe(1);
    expect(out).toMatch(/1 object, 0 crowds among them; 0 images without any\n {18}1 box cut to the image/);
    expect(out).toMatch(/annotation 1, segmentation: expected runs of 16 pixels, 4 x 4, got runs of 7/);
    expect(out).toMatch(/the annotation has no labels/);
  });

  it('reads shards from end to end, and compares them with _info.json', async () => {
    await using folder = await Folder.make();
    const shard = async (name: string, from: number, images: readonly (string | Uint8Array)[]) => {
      const members = images.flatMap((image, i) => [
        [`${from + i}.png`, image] as const,
        [`${from + i}.cls`, String(i % 2)] as const,
      ]);
      await install(folder, Object.fromEntries(members));
      await create(
        { cwd: folder.path, file: join(folder.path, name) },
        members.map(([member]) => member),
      );
    };
    await shard('a-0.tar', 0, [png(2, 2), png(2, 2)]);
    await shard('a-1.tar', 2, [png(2, 2), 'no picture']);
    const split = { num_samples: 5, filenames: ['a-0.tar', 'a-1.tar', 'a-2.tar'], shard_lengths: [2, 3, 0] };
    const root = await install(folder, {
      '_info.json': JSON.stringify({ splits: { train: split } }),
    });
    const { code, out } = await check('webdataset', root, '--split', 'train');
    expect(code).toBe(1);
    expect(out).toMatch(/4 samples, 2 classes; published: 5 samples\n {18}2 shards; files: png 4, cls 4/);
    expect(out).toMatch(/1 sample missing\n {18}a-2\.tar/);
    expect(out).toMatch(/a-1\.tar, 3\.png: /);
    expect(out).toMatch(/a-1\.tar: _info\.json says 3 samples, there are 2/);
    const pattern = ['--option', 'shards=a-0.tar', '--all'];
    expect(await check('webdataset', root, ...pattern)).toMatchObject({ code: 0, err: '' });
    await writeFile(join(root, 'a-0.tar'), (await readFile(join(root, 'a-0.tar'))).subarray(0, 1400));
    const cut = await check('webdataset', root, ...pattern);
    expect(cut.code).toBe(1);
    expect(cut.out).toMatch(/a-0\.tar, byte .*cut short/);
  });

  it.each([
    [['--dataset', 'imagenett'], /no data set imagenett\. Did you mean imagenet\? There are imagenet, image-folder/],
    [['--dataset', 'ade20k', '--split', 'val'], /has the splits validation, training, got val/],
    [['--dataset', 'imagenet', '--option', 'lsit=a'], /has no option lsit\. It has:\n {2}folder/],
    [['--dataset', 'imagenet', '--option', 'layout=flat'], /--option layout= takes folders, list, devkit, got flat/],
    [['--dataset', 'imagenet', '--option', 'layout=list'], /needs --option list=/],
    [['--dataset', 'video-list', '--option', 'list=a', '--option', 'classes=x'], /classes= takes an integer/],
    [['--dataset', 'coco', '--sample', '-1'], /an integer >= 0 is needed/],
    [['--dataset', 'coco', '--option', 'a'], /name=value is needed/],
    [[], /required option '--dataset/],
  ])('ends with 2 for %j', async (args, message) => {
    await using folder = await Folder.make();
    const { code, out, err } = await saccade(['data', 'check', '--root', folder.path, ...args]);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(message);
  });

  it.each([
    ['no root', 'nowhere', {}, /missing|nowhere/],
    ['no annotation', '', {}, /instances_val2017\.json/],
    ['an annotation that is none', '', { 'annotations/instances_val2017.json': '{"images": [' }, /JSON/],
    [
      'an image outside of the root',
      '',
      {
        'annotations/instances_val2017.json':
          '{"images":[{"id":1,"width":1,"height":1,"file_name":"../../../../etc/hostname"}]}',
      },
      /below the root/,
    ],
  ])('ends with 1 for %s', async (_, below, files, message) => {
    await using folder = await Folder.make();
    const root = await install(folder, files);
    const { code, err } = await check('coco', join(root, below));
    expect(code).toBe(1);
    expect(err).toMatch(message);
    expect(err).not.toMatch(/mistake in saccade/);
  });

  it('stops when it is interrupted', async () => {
    await using folder = await Folder.make();
    const root = await install(folder, IMAGES);
    const abort = new AbortController();
    abort.abort(new Interrupted('now'));
    const args = ['data', 'check', '--dataset', 'image-folder', '--root', root];
    expect(await saccade(args, abort.signal)).toMatchObject({ code: 130, out: '' });
  });

  it('knows every data set by a name, and says so', async () => {
    const { out } = await saccade(['data', 'check', '--help']);
    for (const [name, { title, splits }] of Object.entries(INSTALLATIONS)) {
      expect(out).toContain(name);
      expect(out).toContain(title);
      expect(splits.length).toBeGreaterThan(0);
    }
  });
});
