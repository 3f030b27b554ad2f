import { describe, expect, it } from 'vitest';
import { DatasetError } from '../errors.ts';
import { blobFiles } from '../files/blobFiles.ts';
import { inBatches, mapAhead } from '../loader/streams.ts';
import { readWebInfo } from './info.ts';
import { readTar } from './readTar.ts';
import { groupSamples, nameParts, type WebSample } from './samples.ts';
import { blobShard, fileShard, httpShard } from './shards.ts';
import { fixture, inChunks, joined, member, tarOf } from './testing/tar.ts';
import { WebDataset, type WebDatasetOptions } from './WebDataset.ts';

const text = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes);
const shown = ({ key, files }: WebSample) => [
  key,
  ...Array.from(files, ([suffix, bytes]) => `${suffix}:${text(bytes)}`),
];

async function group(bytes: Uint8Array, options: { suffixes?: string[]; maxSampleBytes?: number } = {}) {
  const samples: string[][] = [];
  try {
    const members = readTar(inChunks(bytes, 700), { name: 'a.tar' });
    for await (const sample of groupSamples(members, { shard: 'a.tar', ...options })) samples.push(shown(sample));
  } catch (error) {
    if (!(error instanceof DatasetError)) throw error;
    return { samples, error };
  }
  return { samples, error: undefined };
}

/** Shards s0, s1, ... of samples 0, 1, ... */
const shards = (count: number, samples: number, from = 0) =>
  Array.from({ length: count }, (_, s) =>
    blobShard(
      `s${s + from}`,
      tarOf(Array.from({ length: samples }, (_, i) => [`${s + from}/${i}.txt`, String((s + from) * samples + i)])),
    ),
  );

async function keysOf(options: WebDatasetOptions, epoch = 0): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of new WebDataset(options).samples({ epoch })) keys.push(key);
  return keys;
}

describe('nameParts', () => {
  it.each([
    ['a/b.c.d.JPG', 'a/b', 'c.d.jpg'],
    ['a.b/c.d', 'a.b/c', 'd'],
    ['x.', 'x', ''],
  ])('splits %s at the first dot of its last part', (name, key, suffix) => {
    expect(nameParts(name)).toEqual({ key, suffix });
  });

  it.each(['a/b', 'a.b/c', '.hidden', '__meta__', '__meta__/a.txt'])('takes %s for no sample', (name) => {
    expect(nameParts(name)).toBeUndefined();
  });
});

describe('groupSamples', () => {
  it('puts neighbours of one key together, also with long names', async () => {
    const { samples } = await group(fixture('posix.tar'));
    const named = samples.map(([key, ...files]) => [
      key?.split('/').slice(-2).join('/'),
      files.map((file) => file.split(':')[0]),
    ]);
    expect(named).toEqual([
      ['train/n01440764_10026', ['jpeg', 'cls', 'seg.png']],
      ['a folder with a rather long name/0002', ['jpg', 'cls']],
      ['grün 猫/0003', ['jpg', 'json']],
    ]);
  });

  it('passes over metadata and what has no suffix, and reads only what is wanted', async () => {
    const bytes = tarOf([
      ['__shard__/x.txt', 'no'],
      ['README', 'no'],
      ['a.jpg', '1'],
      ['a.JSON', '2'],
      ['b.txt', '3'],
      ['c.jpg', '4'],
    ]);
    expect((await group(bytes)).samples).toEqual([
      ['a', 'jpg:1', 'json:2'],
      ['b', 'txt:3'],
      ['c', 'jpg:4'],
    ]);
    expect((await group(bytes, { suffixes: ['JPG'] })).samples).toEqual([
      ['a', 'jpg:1'],
      ['c', 'jpg:4'],
    ]);
  });

  it('takes files of a key that are not neighbours for two samples', async () => {
    const { samples } = await group(
      tarOf([
        ['a.x', '1'],
        ['b.x', '2'],
        ['a.y', '3'],
      ]),
    );
    expect(samples.map(([key]) => key)).toEqual(['a', 'b', 'a']);
  });

  it.each([
    [
      'two of a suffix',
      tarOf([
        ['a.x', '1'],
        ['b.x', '2'],
        ['b.X', '3'],
        ['c.x', '4'],
      ]),
      ['a'],
      /one file b\.x, got another/,
    ],
    [
      'a cut within the next sample',
      joined(member('a.x', '1'), member('b.x', 'x'.repeat(600)).subarray(0, 700)),
      ['a'],
      /b\.x/,
    ],
    [
      'a cut within the sample itself',
      joined(
        member('a.x', '1'),
        member('a.y', '1'),
        member('b.x', '1'),
        member('b.y', 'x'.repeat(600)).subarray(0, 700),
      ),
      ['a'],
      /b\.y/,
    ],
    [
      'a cut after a sample like the one before',
      joined(member('a.x', '1'), member('b.x', '2')),
      ['a', 'b'],
      /block of zeros/,
    ],
    [
      'a cut after a sample that lacks a file',
      joined(member('a.x', '1'), member('a.y', '1'), member('b.x', '2')),
      ['a'],
      /block of zeros/,
    ],
  ])('ends at %s, after the samples before', async (_, bytes, keys, message) => {
    const { samples, error } = await group(bytes);
    expect(samples.map(([key]) => key)).toEqual(keys);
    expect(error?.code).toBe('tar');
    expect(error?.message).toMatch(message);
  });

  it('bounds the bytes and the files of a sample', async () => {
    const large = tarOf([
      ['a.x', 'x'.repeat(60)],
      ['a.y', 'x'.repeat(60)],
    ]);
    expect((await group(large, { maxSampleBytes: 100 })).error?.message).toMatch(/at most 100 bytes, got 120/);
    const many = tarOf(Array.from({ length: 1001 }, (_, i) => [`a.${i}`, '']));
    expect((await group(many)).error?.message).toMatch(/at most 1000 files/);
  });
});

describe('WebDataset', () => {
  it('ends samples with their shard, and goes through all shards in order', async () => {
    const split = [
      blobShard('0', tarOf([['a.x', '1']])),
      blobShard('1', new Blob([tarOf([['a.y', '2']]) as BlobPart])),
    ];
    expect(await keysOf({ shards: split })).toEqual(['a', 'a']);
    expect(await keysOf({ shards: shards(2, 2) })).toEqual(['0/0', '0/1', '1/0', '1/1']);
  });

  it('shares out whole shards, all of them once an epoch', async () => {
    for (const shuffle of [0, 5]) {
      const read = await Promise.all(
        [0, 1, 2].map((rank) => keysOf({ shards: shards(7, 3), shuffle, rank, world: 3 }, 4)),
      );
      expect(read.map((keys) => keys.length)).toEqual([9, 6, 6]);
      expect(new Set(read.flat()).size).toBe(21);
    }
  });

  it('shuffles shards and samples by seed and epoch, and loses none', async () => {
    const options = { shards: shards(5, 20), shuffle: 30, seed: 3 };
    const [first, again, later, other] = await Promise.all([
      keysOf(options),
      keysOf(options),
      keysOf(options, 1),
      keysOf({ ...options, seed: 4 }),
    ]);
    expect(again).toEqual(first);
    expect(later).not.toEqual(first);
    expect(other).not.toEqual(first);
    const inOrder = await keysOf({ shards: shards(5, 20) });
    expect(first).not.toEqual(inOrder);
    for (const keys of [first, later, other]) expect([...keys].sort()).toEqual([...inOrder].sort());
    // With a buffer of k, nothing comes more than k - 1 places early.
    const near = await keysOf({ shards: shards(1, 200), shuffle: 10, shuffleShards: false });
    expect(near.every((key, place) => Number(key.split('/')[1]) - place <= 9)).toBe(true);
    expect(near.some((key, place) => Number(key.split('/')[1]) - place < -9)).toBe(true);
  });

  it('throws at a damaged shard, or notes it and goes on', async () => {
    const damaged = [
      ...shards(1, 2),
      blobShard('cut', joined(member('x.txt', '1'), member('y.txt', '2'))),
      ...shards(1, 2, 5),
    ];
    const keys: string[] = [];
    const throwing = new WebDataset({ shards: damaged });
    await expect(async () => {
      for await (const { key } of throwing.samples()) keys.push(key);
    }).rejects.toMatchObject({ code: 'tar' });
    expect(keys).toEqual(['0/0', '0/1', 'x', 'y']);
    const skipping = new WebDataset({ shards: damaged, onError: 'skip' });
    const all: string[] = [];
    for await (const { key } of skipping.samples()) all.push(key);
    expect(all).toEqual(['0/0', '0/1', 'x', 'y', '5/0', '5/1']);
    expect(skipping.faults).toEqual([{ shard: 'cut', epoch: 0, error: expect.any(DatasetError) }]);
  });

  it('stops when asked', async () => {
    const abort = new AbortController();
    const reason = new Error('enough');
    const reading = async () => {
      const large = blobShard(
        'large',
        new Blob([
          tarOf([
            ['a.x', 'x'.repeat(3e6)],
            ['b.x', ''],
          ]) as BlobPart,
        ]),
      );
      for await (const _ of new WebDataset({ shards: [large, large], onError: 'skip' }).samples({
        signal: abort.signal,
      })) {
        abort.abort(reason);
      }
    };
    await expect(reading()).rejects.toBe(reason);
  });

  it.each([
    [{ world: 3 }, 'shards'],
    [{ rank: 1 }, 'rank'],
    [{ shuffle: -1 }, 'shuffle'],
    [{ onError: 'some' as 'skip' }, 'onError'],
  ])('refuses %j', (options, argument) => {
    expect(() => new WebDataset({ shards: shards(2, 1), ...options })).toThrow(
      expect.objectContaining({ code: 'option', argument }),
    );
  });

  it('feeds batches, decoded ahead', async () => {
    const samples = new WebDataset({ shards: shards(2, 5) }).samples();
    const numbers = mapAhead(samples, async ({ files }) => Number(text(files.get('txt'))), { ahead: 3 });
    const batches: number[][] = [];
    for await (const batch of inBatches(numbers, 4, { last: 'keep' })) batches.push(batch);
    expect(batches).toEqual([
      [0, 1, 2, 3],
      [4, 5, 6, 7],
      [8, 9],
    ]);
  });

  it('reads local files through the root', async () => {
    const files = blobFiles([['train/0.tar', new Blob([tarOf([['a.x', '1']]) as BlobPart])]]);
    expect(await keysOf({ shards: [fileShard(files, 'train/0.tar')] })).toEqual(['a']);
    await expect(keysOf({ shards: [fileShard(files, '../0.tar')] })).rejects.toMatchObject({ code: 'path' });
    await expect(keysOf({ shards: [fileShard(files, '1.tar')] })).rejects.toMatchObject({ code: 'missing' });
  });
});

describe('httpShard', () => {
  const content = tarOf(Array.from({ length: 40 }, (_, i) => [`${i}.txt`, 'x'.repeat(700)]));

  /** A server that breaks each connection after `alive` bytes. */
  function server({
    alive = Number.POSITIVE_INFINITY,
    etag = '"1"' as string | null,
    ranges = true,
    status = 200,
  } = {}) {
    const asked: (string | null)[] = [];
    const fetch = async (_: string, init: RequestInit) => {
      const headers = new Headers(init.headers);
      asked.push(headers.get('range'));
      const from = ranges ? Number(/^bytes=(\d+)-$/.exec(headers.get('range') ?? '')?.[1] ?? 0) : 0;
      let position = from;
      const body = new ReadableStream<Uint8Array>({
        pull(controller) {
          if (position - from >= alive) return controller.error(new TypeError('connection lost'));
          const end = Math.min(content.byteLength, position + 3000);
          if (position >= content.byteLength) return controller.close();
          controller.enqueue(content.slice(position, end));
          position = end;
        },
      });
      return new Response(body, {
        status: from > 0 ? 206 : status,
        headers: {
          ...(etag && { etag }),
          'content-length': String(content.byteLength - from),
          ...(from > 0 && { 'content-range': `bytes ${from}-${content.byteLength - 1}/${content.byteLength}` }),
        },
      });
    };
    return { asked, fetch };
  }

  const count = async (options: ReturnType<typeof server>, retries = 3) => {
    const shard = httpShard('https://host.example/a.tar', { fetch: options.fetch, retries });
    return (await keysOf({ shards: [shard] })).length;
  };

  it('reads a file as it arrives', async () => {
    const plain = server();
    expect(await count(plain)).toBe(40);
    expect(plain.asked).toEqual([null]);
  });

  it('takes a broken connection up where it broke', async () => {
    const breaking = server({ alive: 9000 });
    expect(await count(breaking)).toBe(40);
    expect(breaking.asked.slice(0, 3)).toEqual([null, 'bytes=9000-', 'bytes=18000-']);
  });

  it.each([
    ['a server that is gone', server({ alive: 0 }), /connection lost/],
    ['a file without a mark of its version', server({ alive: 9000, etag: null }), /connection lost/],
    ['a server that cannot send parts', server({ alive: 9000, ranges: false }), /another version/],
    ['a file that is not there', server({ status: 404 }), /status 404/],
  ])('fails at %s', async (_, options, message) => {
    const failing = count(options, 1);
    await expect(failing).rejects.toMatchObject({ name: 'DatasetError', code: 'missing' });
    await expect(failing).rejects.toThrow(message);
  });

  it('refuses what is no address', () => {
    for (const url of ['file:///etc/passwd', 'a.tar']) expect(() => httpShard(url)).toThrow(DatasetError);
  });
});

describe('readWebInfo', () => {
  const read = (value: unknown) => readWebInfo(blobFiles([['_info.json', new Blob([JSON.stringify(value)])]]));
  const split = { name: 'train', num_samples: 5, filenames: ['a-0.tar', 'a-1.tar'], shard_lengths: [3, 2] };

  it('reads the splits', async () => {
    const splits = await read({
      splits: { train: split, val: { ...split, filenames: [], shard_lengths: [], num_samples: 0 } },
    });
    expect(splits.get('train')).toEqual({
      name: 'train',
      samples: 5,
      shards: [
        { path: 'a-0.tar', samples: 3 },
        { path: 'a-1.tar', samples: 2 },
      ],
    });
    expect([...splits.keys()]).toEqual(['train', 'val']);
  });

  it.each([
    [{ splits: { train: { ...split, num_samples: 6 } } }, 'annotation'],
    [{ splits: { train: { ...split, shard_lengths: [5] } } }, 'annotation'],
    [{ splits: { train: { ...split, filenames: ['../a.tar', 'b.tar'] } } }, 'path'],
    [{ splits: { train: 3 } }, 'annotation'],
    [[], 'annotation'],
  ])('refuses %j', async (value, code) => {
    await expect(read(value)).rejects.toMatchObject({ name: 'DatasetError', code });
  });
});
