import { expandShards, type Files, fileShard, readWebInfo, WebDataset, type WebSample } from '@saccade/datasets';
import { decodeImage } from '@saccade/media/node';
import { Rng } from '@saccade/tensor-ops';
import { UsageError } from '../terminal/failure.ts';
import { withProgress } from '../terminal/progress.ts';
import { counted, type Terminal } from '../terminal/terminal.ts';
import { refuseWithoutDecoder } from './decoding.ts';
import type { Findings } from './report.ts';

/** What {@link inspectShards} looks at. */
export interface ShardsRequest {
  readonly files: Files;
  /** of `_info.json`; '' without one */
  readonly split: string;
  /** `shards`: pattern of the names, if there is no `_info.json` */
  readonly options: ReadonlyMap<string, string>;
  /** images to decode; all where undefined */
  readonly sample: number | undefined;
  readonly seed: number;
}

interface ShardList {
  readonly paths: readonly string[];
  /** samples in each, as `_info.json` says */
  readonly lengths: readonly number[] | undefined;
}

/** Images by the first suffix that a sample has of these. */
const IMAGES = ['jpg', 'jpeg', 'png', 'webp', 'ppm'];
const KEPT = 100;

/**
 * Reads all shards to their ends: their structure, the samples in each, and images drawn at random, which are decoded. There is no
 * other way to know what lies in a tar file.
 */
export async function inspectShards(request: ShardsRequest, terminal: Terminal): Promise<Findings> {
  const { files, split, sample, seed } = request;
  const { signal } = terminal;
  const { paths, lengths } = await shardList(request, signal);
  const stats = await Promise.all(paths.map((path) => files.stat(path)));
  const there = paths.filter((_, i) => stats[i] !== undefined);
  const missing = paths.filter((_, i) => stats[i] === undefined);
  const broken: { path: string; message: string }[] = [];
  const found = new Map<string, number>();
  const tally = new Tally();
  const images = new Reservoir(sample ?? Number.POSITIVE_INFINITY, new Rng(seed));
  const tryImage = async (image: NamedImage) => {
    const message = await decodingFault(image, signal);
    if (message !== undefined) broken.push({ path: image.path, message });
  };

  await withProgress(
    terminal,
    'shards',
    async ({ update }) => {
      for (const [done, path] of there.entries()) {
        update(done, there.length);
        const shard = new WebDataset({ shards: [fileShard(files, path)], onError: 'skip' });
        for await (const one of shard.samples({ signal })) {
          found.set(path, (found.get(path) ?? 0) + 1);
          const fault = tally.add(one);
          if (fault !== undefined) broken.push({ path, message: fault });
          const image = imageOf(one);
          if (image === undefined) continue;
          if (sample === undefined) await tryImage(image);
          images.offer(image);
        }
        broken.push(...shard.faults.map(({ error }) => ({ path, message: error.message })));
      }
    },
    String,
  );
  const chosen = sample === undefined ? [] : images.items;
  await withProgress(
    terminal,
    `read ${counted(chosen.length, 'image')}`,
    async ({ update }) => {
      for (const [done, image] of chosen.entries()) {
        await tryImage(image);
        update(done + 1, chosen.length);
      }
    },
    String,
  );
  const short = there.filter((path) => lengths && found.get(path) !== lengths[paths.indexOf(path)]);
  return {
    name: `WebDataset ${split}`.trim(),
    samples: tally.samples,
    classes: tally.histogram.length,
    published: lengths?.reduce((sum, length) => sum + length, 0),
    missing: { count: missing.length, first: missing.slice(0, KEPT) },
    unreadable: {
      read: sample === undefined ? images.offered : chosen.length,
      of: images.offered,
      count: broken.length + short.length,
      first: [
        ...broken,
        ...short.map((path) => ({
          path,
          message: `${path}: _info.json says ${lengths?.[paths.indexOf(path)]} samples, there are ${found.get(path) ?? 0}`,
        })),
      ].slice(0, KEPT),
    },
    notes: [`${counted(there.length, 'shard')}; files: ${tally.suffixes()}`],
    histogram:
      tally.histogram.length === 0 ? undefined : tally.histogram.map((samples, i) => ({ name: String(i), samples })),
  };
}

async function shardList({ files, split, options }: ShardsRequest, signal: AbortSignal): Promise<ShardList> {
  const pattern = options.get('shards');
  if (pattern !== undefined) return { paths: expandShards(pattern), lengths: undefined };
  const splits = await readWebInfo(files, { path: options.get('info') ?? '_info.json', signal });
  const found = split === '' ? [...splits.values()][0] : splits.get(split);
  if (found === undefined)
    throw new UsageError(`_info.json has the splits ${[...splits.keys()].join(', ')}, got ${split}.`);
  return { paths: found.shards.map(({ path }) => path), lengths: found.shards.map(({ samples }) => samples) };
}

interface NamedImage {
  readonly path: string;
  readonly bytes: Uint8Array;
}

function imageOf({ key, shard, files }: WebSample): NamedImage | undefined {
  const suffix = IMAGES.find((one) => files.has(one));
  return suffix === undefined
    ? undefined
    : { path: `${shard}, ${key}.${suffix}`, bytes: files.get(suffix) as Uint8Array };
}

/** What is wrong with an image; undefined if nothing is. */
async function decodingFault({ path, bytes }: NamedImage, signal: AbortSignal): Promise<string | undefined> {
  try {
    await decodeImage(bytes, { signal });
    return undefined;
  } catch (error) {
    signal.throwIfAborted();
    refuseWithoutDecoder(error);
    return `${path}: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** So many items of a stream, each as likely as any other. */
class Reservoir {
  readonly items: NamedImage[] = [];
  offered = 0;
  readonly #size: number;
  readonly #rng: Rng;

  constructor(size: number, rng: Rng) {
    this.#size = size;
    this.#rng = rng;
  }

  offer(item: NamedImage): void {
    this.offered++;
    if (this.#size === Number.POSITIVE_INFINITY || this.#size === 0) return;
    if (this.items.length < this.#size) this.items.push(item);
    else {
      const place = this.#rng.int(0, this.offered - 1);
      if (place < this.#size) this.items[place] = item;
    }
  }
}

/** Counts samples, suffixes, and labels, where samples have a file `cls` with a number. */
class Tally {
  samples = 0;
  readonly histogram: number[] = [];
  readonly #suffixes = new Map<string, number>();

  /** @returns what is wrong with the label */
  add({ shard, key, files }: WebSample): string | undefined {
    this.samples++;
    for (const suffix of files.keys()) this.#suffixes.set(suffix, (this.#suffixes.get(suffix) ?? 0) + 1);
    const cls = files.get('cls');
    if (cls === undefined) return undefined;
    const text = new TextDecoder().decode(cls.subarray(0, 40)).trim();
    if (!/^\d{1,6}$/.test(text))
      return `${shard}, ${key}.cls: expected a class from 0 to 999999, got ${JSON.stringify(text)}.`;
    const label = Number(text);
    while (this.histogram.length <= label) this.histogram.push(0);
    this.histogram[label] = (this.histogram[label] as number) + 1;
    return undefined;
  }

  suffixes(): string {
    const all = [...this.#suffixes].map(([suffix, count]) => `${suffix} ${count.toLocaleString('en-US')}`);
    return all.slice(0, 10).join(', ') || 'none';
  }
}
