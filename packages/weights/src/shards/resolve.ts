import { type ByteSource, byteSource, type SourceInput } from '../source/byteSource.ts';
import { isAbort, messageOf, SourceError } from '../source/errors.ts';
import { type OpenUrlOptions, openUrl } from '../source/openUrl.ts';
import { quote, type WeightsError } from '../weightsError.ts';
import { isSafeShardName } from './shardName.ts';

/**
 * Gives the file of that name beside the one that was opened. Names were checked before: they are plain, relative, with `/`
 * between folders, and lead neither upwards nor elsewhere.
 *
 * @example
 * // Files that a person chose in a browser.
 * const resolve: ShardResolver = (name) => files.find((file) => file.name === name);
 */
export type ShardResolver = (name: string) => SourceInput | undefined | Promise<SourceInput | undefined>;

/** Makes the errors of the format whose shards are opened. */
export type ShardFailure = (
  code: 'UnsafeShardName' | 'ShardMissing',
  message: string,
  options?: ErrorOptions,
) => WeightsError;

/** How the files beside one are found, and what is said when they are not. */
export interface Shards {
  readonly resolve: ShardResolver | undefined;
  readonly failure: ShardFailure;
}

/**
 * Opens the file that is called `name` in a file of weights.
 *
 * @throws what `failure` makes; SourceError as byteSource; an abort unchanged
 */
export async function openShard(name: string, { resolve, failure }: Shards): Promise<ByteSource> {
  if (!isSafeShardName(name)) {
    throw failure(
      'UnsafeShardName',
      `a part of it is said to be in ${quote(name)}; expected the plain name of a file in the same folder, or in one ` +
        'below: no "..", no absolute path, no URL. Do not load it unless you know who wrote it; if you do, move its ' +
        'files into one folder and correct the name.',
    );
  }
  if (resolve === undefined) {
    throw failure(
      'ShardMissing',
      `a part of it is in the file ${quote(name)} beside it. Pass { resolve: (name) => source }, or open it with ` +
        'openWeightsFile (Node), which finds the files beside it.',
    );
  }
  let found: SourceInput | undefined;
  try {
    found = await resolve(name);
  } catch (cause) {
    if (isAbort(cause)) throw cause;
    throw failure('ShardMissing', `its part ${quote(name)} could not be opened: ${messageOf(cause)}`, { cause });
  }
  if (found === undefined || found === null) {
    throw failure('ShardMissing', `its part ${quote(name)} was not found. Put it beside the file that names it.`);
  }
  return byteSource(found);
}

/**
 * A resolver of files beside a URL: `shardsBeside('https://host.example/m/model.json')` finds
 * `https://host.example/m/group1-shard1of1.bin`. Queries of the URL are not carried over; headers are.
 *
 * @param options as for openUrl
 * @throws SourceError InvalidArgument if `url` is none
 */
export function shardsBeside(url: string | URL, options?: OpenUrlOptions): ShardResolver {
  const base = parsed(url);
  return async (name) => {
    const path = name.split('/').map(encodeURIComponent).join('/');
    return await openUrl(new URL(`./${path}`, base), options);
  };
}

function parsed(url: string | URL): URL {
  try {
    return new URL(url, globalThis.location?.href);
  } catch (cause) {
    throw new SourceError('InvalidArgument', `${quote(String(url))} is not a URL.`, { cause });
  }
}
