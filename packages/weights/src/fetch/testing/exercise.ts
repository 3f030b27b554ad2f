import { byteSource, readExactly } from '../../source/byteSource.ts';
import type { CacheOptions, PartialWeights, Placement, StoredWeights, Version, WeightsCache } from '../cache.ts';
import { FetchWeightsError } from '../errors.ts';
import { portableSha256 } from '../hash.ts';

// What every cache has to be able to do. It runs in Node and inside browsers, so it returns what happened in place of
// asserting it: `EXPECTED` is what should come.

const VERSION: Version = { etag: '"v1"', lastModified: 'a date', total: 5, sha256: 'ab'.repeat(32) };
const idOf = (digit: string) => digit.repeat(64);
const bytes = (...values: number[]) => Uint8Array.from(values);

export async function exerciseCache(open: (options: CacheOptions) => Promise<WeightsCache>) {
  const cache = await open({});
  await cache.clear();
  return {
    empty: [await cache.get(idOf('0')), (await cache.list()).length, await cache.delete(idOf('0'))],
    placed: await place(cache),
    cut: await resume(cache),
    unversioned: await unversioned(cache),
    discarded: await discarded(cache),
    turns: await takeTurns(cache),
    aborted: await abortWaiting(cache),
    replaced: await replace(cache),
    emptyFile: await contentOf(await store(cache, idOf('e'), [])),
    removed: await remove(cache),
    evicted: await evict(await open({ maxBytes: 10 })),
    badId: await badId(cache),
    cleared: await clear(cache),
  };
}

export const EXPECTED = {
  empty: [undefined, 0, false],
  placed: {
    listed: [idOf('1')],
    size: 5,
    content: [1, 2, 3, 4, 5],
    url: 'https://host/1',
    etag: '"v1"',
    whileWriting: 0,
  },
  cut: { size: 3, version: VERSION, chunks: [1, 2, 3], content: [1, 2, 3, 4, 5] },
  unversioned: { size: 0 },
  discarded: { size: 0, version: undefined },
  turns: { order: ['first', 'second'], received: 20 * 2 ** 20, total: 5, other: true },
  aborted: 'enough',
  replaced: { content: [9], count: 1 },
  emptyFile: [],
  removed: { first: true, again: false, there: undefined, count: 0 },
  evicted: { afterThree: ['3', '1'], afterLarge: ['4'] },
  badId: ['InvalidArgument', 'InvalidArgument', 'InvalidArgument'],
  cleared: { count: 0, partial: 0 },
};

async function place(cache: WeightsCache) {
  const id = idOf('1');
  const partial = await cache.acquire(id);
  await partial.restart(VERSION);
  await partial.append(bytes(1, 2));
  await partial.append(bytes(3, 4, 5));
  const whileWriting = (await cache.list()).length;
  await partial.commit(placement('1'));
  // Giving up what is over does nothing.
  await partial.release();
  const found = (await cache.get(id))!;
  const listed = (await cache.list()).map((file) => file.id);
  const { size, url, etag } = found;
  return { listed, size, content: await contentOf(found), url, etag, whileWriting };
}

async function resume(cache: WeightsCache) {
  const id = idOf('2');
  const cut = await cache.acquire(id);
  await cut.restart(VERSION);
  await cut.append(bytes(1, 2, 3));
  await cut.release();
  const partial = await cache.acquire(id);
  const { size, version } = partial;
  const chunks: number[] = [];
  for await (const chunk of partial.chunks()) chunks.push(...chunk);
  await partial.append(bytes(4, 5));
  return { size, version, chunks, content: await contentOf(await partial.commit(placement('2'))) };
}

async function unversioned(cache: WeightsCache) {
  const cut = await cache.acquire(idOf('3'));
  await cut.restart(undefined);
  await cut.append(bytes(1));
  await cut.release();
  return { size: await sizeAndRelease(cache, idOf('3')) };
}

async function discarded(cache: WeightsCache) {
  const cut = await cache.acquire(idOf('3'));
  await cut.restart(VERSION);
  await cut.append(bytes(1));
  await cut.discard();
  const partial = await cache.acquire(idOf('3'));
  await partial.release();
  return { size: partial.size, version: partial.version };
}

async function takeTurns(cache: WeightsCache) {
  const id = idOf('4');
  const order: string[] = [];
  const first = await cache.acquire(id);
  // Enough that no store keeps it back.
  await first.restart(VERSION);
  for (let i = 0; i < 20; i++) await first.append(new Uint8Array(2 ** 20));
  await first.release();
  const owner = await cache.acquire(id);
  let seen: { received: number; total: number | undefined } = { received: 0, total: undefined };
  let watched: () => void = () => undefined;
  const watching = new Promise<void>((resolve) => {
    watched = resolve;
  });
  const onWaiting = (received: number, total: number | undefined) => {
    seen = { received, total };
    watched();
  };
  const second = cache.acquire(id, { onWaiting }).then(async (partial) => {
    order.push('second');
    await partial.discard();
  });
  await watching;
  // Somebody else's file is not affected.
  const other = await cache.acquire(idOf('5'));
  await other.release();
  order.push('first');
  await owner.release();
  await second;
  return { order, ...seen, other: true };
}

async function abortWaiting(cache: WeightsCache) {
  const owner = await cache.acquire(idOf('4'));
  const controller = new AbortController();
  const waiting = cache.acquire(idOf('4'), { signal: controller.signal, onWaiting: () => controller.abort('enough') });
  const reason = await waiting.then(
    () => 'not aborted',
    (reason: unknown) => reason,
  );
  await owner.release();
  return reason;
}

async function replace(cache: WeightsCache) {
  await store(cache, idOf('6'), [8, 8]);
  await store(cache, idOf('6'), [9]);
  const found = await cache.get(idOf('6'));
  return {
    content: found && (await contentOf(found)),
    count: (await cache.list()).filter(({ id }) => id === idOf('6')).length,
  };
}

async function remove(cache: WeightsCache) {
  await store(cache, idOf('7'), [7]);
  const first = await cache.delete(idOf('7'));
  const again = await cache.delete(idOf('7'));
  const count = (await cache.list()).filter(({ id }) => id === idOf('7')).length;
  return { first, again, there: await cache.get(idOf('7')), count };
}

async function evict(cache: WeightsCache) {
  await cache.clear();
  const digits = async () => (await cache.list()).map(({ id }) => id.slice(0, 1));
  await store(cache, idOf('1'), [1, 1, 1, 1]);
  await pause();
  await store(cache, idOf('2'), [2, 2, 2, 2]);
  await pause();
  await cache.get(idOf('1'));
  await pause();
  await store(cache, idOf('3'), [3, 3, 3, 3]);
  const afterThree = await digits();
  await pause();
  await store(
    cache,
    idOf('4'),
    Array.from({ length: 20 }, () => 4),
  );
  return { afterThree, afterLarge: await digits() };
}

async function badId(cache: WeightsCache) {
  const id = '../../etc/passwd';
  return await Promise.all(
    [cache.get(id), cache.acquire(id), cache.delete(id)].map((result) =>
      result.then(
        () => 'accepted',
        (error: unknown) => (error instanceof FetchWeightsError ? error.code : error),
      ),
    ),
  );
}

async function clear(cache: WeightsCache) {
  await store(cache, idOf('8'), [8]);
  const cut = await cache.acquire(idOf('9'));
  await cut.restart(VERSION);
  await cut.append(bytes(1));
  await cut.release();
  await cache.clear();
  return { count: (await cache.list()).length, partial: await sizeAndRelease(cache, idOf('9')) };
}

async function store(cache: WeightsCache, id: string, content: number[]): Promise<StoredWeights> {
  const partial: PartialWeights = await cache.acquire(id);
  await partial.restart(undefined);
  await partial.append(Uint8Array.from(content));
  const hash = portableSha256();
  hash.update(Uint8Array.from(content));
  return await partial.commit({ ...placement(id.slice(0, 1)), sha256: hash.digest() });
}

async function sizeAndRelease(cache: WeightsCache, id: string): Promise<number> {
  const partial = await cache.acquire(id);
  await partial.release();
  return partial.size;
}

async function contentOf({ source, size }: StoredWeights): Promise<number[]> {
  return [...(await readExactly(byteSource(source), 0, size))];
}

function placement(digit: string): Placement {
  return { url: `https://host/${digit}`, sha256: idOf(digit), etag: '"v1"', lastModified: undefined };
}

/** Longer than the clocks of file systems take for one step. */
async function pause(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 20));
}
