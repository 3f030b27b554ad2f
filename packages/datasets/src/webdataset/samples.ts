import type { TarMember } from './readTar.ts';
import { tarError } from './tarHeader.ts';

/** The files of a shard that belong together: `a/0001.jpg` and `a/0001.cls` are the sample `a/0001` with `jpg` and `cls`. */
export interface WebSample {
  /** the path up to the first dot of the last part */
  readonly key: string;
  /** the shard it is from */
  readonly shard: string;
  /** its files by what follows that dot, in lower case */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/** Options of {@link groupSamples}. */
export interface GroupOptions {
  /** for messages: the name of the shard */
  readonly shard: string;
  /** read these suffixes only; default: all */
  readonly suffixes?: readonly string[] | undefined;
  /** larger samples are refused; default 512 MiB */
  readonly maxSampleBytes?: number | undefined;
}

const DEFAULT_MAX_SAMPLE_BYTES = 512 * 2 ** 20;
const MAX_FILES = 1000;

/**
 * Puts the members of one shard together to samples, by the rule of WebDataset: neighbours with one key are a sample; the end
 * of the shard ends its last one; names that begin with `__...__` (metadata), and those without a dot or with nothing before
 * it, are passed over.
 *
 * A sample is given out as soon as the next one begins. Where the shard fails between two members, nobody can tell whether
 * the sample before has all its files: it is given out if it has those of the sample before it, and then the error is thrown.
 *
 * Source: `tariterators.py` of the Python library webdataset.
 *
 * @throws DatasetError `tar` for two files of one suffix in a sample, and for samples beyond `maxSampleBytes` or 1,000 files;
 *   what the members throw
 */
export async function* groupSamples(
  members: AsyncIterable<TarMember>,
  { shard, suffixes, maxSampleBytes = DEFAULT_MAX_SAMPLE_BYTES }: GroupOptions,
): AsyncGenerator<WebSample, void, undefined> {
  const wanted = suffixes && new Set(suffixes.map((suffix) => suffix.toLowerCase()));
  const [iterator, failed] = [members[Symbol.asyncIterator](), Symbol('failed')];
  let group: Group | undefined;
  let before = '';
  try {
    for (;;) {
      let failure: unknown;
      const next = await iterator.next().catch((error: unknown) => {
        failure = error;
        return failed;
      });
      if (typeof next === 'symbol') {
        if (group !== undefined && group.suffixes() === before) yield* group.sample(shard);
        throw failure;
      }
      if (next.done) break;
      const name = nameParts(next.value.name);
      if (name === undefined) continue;
      if (group !== undefined && name.key !== group.key) {
        yield* group.sample(shard);
        before = group.suffixes();
        group = undefined;
      }
      group ??= new Group(name.key);
      await group.add(next.value, name.suffix, {
        where: `${shard}, ${next.value.name}`,
        read: wanted === undefined || wanted.has(name.suffix),
        maxSampleBytes,
      });
    }
    if (group !== undefined) yield* group.sample(shard);
  } finally {
    await iterator.return?.(undefined);
  }
}

/** A sample as its files arrive. */
class Group {
  readonly key: string;
  readonly #files = new Map<string, Uint8Array>();
  readonly #seen = new Set<string>();
  #bytes = 0;

  constructor(key: string) {
    this.key = key;
  }

  async add(
    member: TarMember,
    suffix: string,
    {
      where,
      read,
      maxSampleBytes,
    }: { readonly where: string; readonly read: boolean; readonly maxSampleBytes: number },
  ): Promise<void> {
    if (this.#seen.has(suffix)) {
      const hint = 'The files of a sample must lie side by side, each suffix once.';
      throw tarError(where, `one file ${this.key}.${suffix}`, 'another', hint);
    }
    this.#seen.add(suffix);
    if (this.#seen.size > MAX_FILES) throw tarError(where, `at most ${MAX_FILES} files in a sample`, 'more');
    if (!read) return;
    this.#bytes += member.size;
    if (this.#bytes > maxSampleBytes) {
      throw tarError(where, `samples of at most ${maxSampleBytes} bytes`, `${this.#bytes} or more`);
    }
    this.#files.set(suffix, await member.bytes());
  }

  /** What there was, read or not. */
  suffixes(): string {
    return [...this.#seen].sort().join();
  }

  /** The sample; none of a key whose files nobody wants. */
  *sample(shard: string): Generator<WebSample, void, undefined> {
    if (this.#files.size > 0) yield { key: this.key, shard, files: this.#files };
  }
}

/** Key and suffix of a name; undefined for one that belongs to no sample. */
export function nameParts(name: string): { readonly key: string; readonly suffix: string } | undefined {
  if (/^__[^/]*__(?:$|\/)/.test(name)) return undefined;
  const start = name.lastIndexOf('/') + 1;
  const dot = name.indexOf('.', start);
  if (dot <= start) return undefined;
  return { key: name.slice(0, dot), suffix: name.slice(dot + 1).toLowerCase() };
}
