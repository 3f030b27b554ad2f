import { type LazyTensor, LazyWeights } from '../lazyWeights.ts';
import { openShard, type ShardResolver, type Shards } from '../shards/resolve.ts';
import { type ByteSource, byteSource, readExactly, type SourceInput } from '../source/byteSource.ts';
import { SourceError } from '../source/errors.ts';
import { quote } from '../weightsError.ts';
import { SafetensorsError, TensorNotFoundError } from './errors.ts';
import { MAX_HEADER_BYTES } from './header.ts';
import { type LazySafetensorsFile, openSafetensors } from './open.ts';
import { parseSafetensorsIndex } from './shardIndex.ts';

/** Options of {@link openShardedSafetensors}. */
export interface OpenShardedOptions {
  /** Finds the files that the index names. Without it only an empty index opens. */
  readonly resolve?: ShardResolver | undefined;
}

/**
 * Opens a checkpoint in several safetensors files through its index (`model.safetensors.index.json`). The header of every
 * file is read, and none of its tensors; the index and the files must name the same tensors.
 *
 * Names are in the order of the index; the metadata are those of all files, the first of equal names.
 *
 * @param index the index, as text or as its file
 * @throws SafetensorsError InvalidIndex if the index and the files contradict each other, IoError if one of them is missing,
 *   and as openSafetensors; an abort of a source unchanged
 * @example
 * const url = 'https://host.example/model/model.safetensors.index.json';
 * const file = await openShardedSafetensors(await openUrl(url), { resolve: shardsBeside(url) });
 */
export async function openShardedSafetensors(
  index: string | SourceInput,
  { resolve }: OpenShardedOptions = {},
): Promise<LazyWeights> {
  try {
    return await open(typeof index === 'string' ? index : await readText(byteSource(index)), resolve);
  } catch (error) {
    if (!(error instanceof SourceError)) throw error;
    const code = error.code === 'InvalidArgument' ? 'InvalidArgument' : 'IoError';
    throw new SafetensorsError(code, error.detail, { cause: error });
  }
}

async function open(json: string, resolve: ShardResolver | undefined): Promise<LazyWeights> {
  const { weightMap, shards } = parseSafetensorsIndex(json);
  const files = new Map<string, LazySafetensorsFile>();
  const metadata = new Map<string, string>();
  let size = 0;
  for (const name of shards) {
    const source = await openShard(name, { resolve, failure: shardFailure });
    const file = await openOne(name, source);
    files.set(name, file);
    size += source.size;
    for (const [key, value] of file.metadata) if (!metadata.has(key)) metadata.set(key, value);
    const stray = file.names.find((tensor) => weightMap.get(tensor) !== name);
    if (stray !== undefined) throw contradiction(stray, name, 'is in', 'does not look for it there');
  }
  const tensors = new Map<string, LazyTensor>();
  for (const [name, shard] of weightMap) {
    const file = files.get(shard)!;
    if (!file.has(name)) throw contradiction(name, shard, 'is not in', 'looks for it there');
    tensors.set(name, { ...file.info(name), read: () => file.bytes(name) });
  }
  return new LazyWeights({
    format: 'safetensors',
    metadata,
    tensors,
    ignored: new Map(),
    limit: size,
    failure: (code, message, { tensorName = '', nearNames = [], ...options } = {}) =>
      code === 'TensorNotFound'
        ? new TensorNotFoundError(tensorName, nearNames, tensors.size)
        : new SafetensorsError(code === 'TooLarge' ? 'ValidationOverflow' : code, message, options),
  });
}

/** @throws SafetensorsError that names the shard */
async function openOne(name: string, source: ByteSource): Promise<LazySafetensorsFile> {
  try {
    return await openSafetensors(source);
  } catch (error) {
    if (!(error instanceof SafetensorsError)) throw error;
    const detail = error.message.slice(error.code.length + 2);
    throw new SafetensorsError(error.code, `${quote(name)}: ${detail}`, { cause: error });
  }
}

function contradiction(tensor: string, shard: string, fact: string, claim: string): SafetensorsError {
  return new SafetensorsError(
    'InvalidIndex',
    `tensor ${quote(tensor)} ${fact} ${quote(shard)}, and the index ${claim}. They belong to different checkpoints: ` +
      'download all of them again.',
  );
}

const shardFailure: Shards['failure'] = (code, message, options) =>
  new SafetensorsError(code === 'UnsafeShardName' ? 'InvalidIndex' : 'IoError', message, options);

async function readText(source: ByteSource): Promise<string> {
  if (source.size > MAX_HEADER_BYTES) {
    throw new SafetensorsError(
      'InvalidIndex',
      `it has ${source.size} bytes, at most ${MAX_HEADER_BYTES} are read. This is not a shard index.`,
    );
  }
  const bytes = await readExactly(source, 0, source.size);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes.slice());
  } catch (cause) {
    throw new SafetensorsError('InvalidIndex', 'the index is not UTF-8 text.', { cause });
  }
}
