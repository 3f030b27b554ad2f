import { type LazyTensor, LazyWeights } from '../lazyWeights.ts';
import { joined } from '../shards/joined.ts';
import { openShard, type ShardResolver } from '../shards/resolve.ts';
import { type ByteSource, byteSource, readExactly, type SourceInput } from '../source/byteSource.ts';
import { TfjsFileError, tfjsFailure, withTfjsErrors } from './errors.ts';
import { parseManifest, type WeightGroup, type WeightSpec } from './manifest.ts';
import { dequantize } from './weightTypes.ts';

/** The topology of a large graph takes some megabytes. */
const MAX_JSON_BYTES = 100_000_000;

/** Options of {@link openTfjs}. */
export interface OpenTfjsOptions {
  /** Finds the files of weights that the model names. Without it only a model without any opens. */
  readonly resolve?: ShardResolver | undefined;
}

/**
 * Opens the weights of a TensorFlow.js model, of layers (`tf.LayersModel`) or a graph (`tf.GraphModel`): its model.json, and
 * the files of weights beside it. The JSON is read; of the other files only the sizes are looked at.
 *
 * Names, layouts and shapes are those of TensorFlow (kernels as height, width, in, out). Quantised weights are given as the
 * float32 or int32 they stand for, equal to what `tf.io.decodeWeights` computes; `info` and `bytes` speak of these, too.
 *
 * @param source model.json
 * @throws TfjsFileError; an abort of a source unchanged
 * @example
 * const url = 'https://host.example/model/model.json';
 * const file = await openTfjs(await openUrl(url), { resolve: shardsBeside(url) });
 * const kernel = await file.get('conv2d/kernel');
 */
export async function openTfjs(source: SourceInput, { resolve }: OpenTfjsOptions = {}): Promise<LazyWeights> {
  return await withTfjsErrors(async () => {
    const json = byteSource(source);
    const { notes, groups } = parseManifest(await readText(json));
    const tensors = new Map<string, LazyTensor>();
    let size = json.size;
    for (const group of groups) {
      const shards: ByteSource[] = [];
      for (const path of group.paths) shards.push(await openShard(path, { resolve, failure: tfjsFailure }));
      const data = joined(shards);
      checkSize(group, data.size);
      size += data.size;
      let at = 0;
      for (const spec of group.weights) {
        tensors.set(spec.name, lazyWeight(spec, data, at));
        at += spec.storedLength;
      }
    }
    // A weight of one byte becomes a number of four.
    const limit = 4 * size;
    return new LazyWeights({
      format: 'tfjs',
      metadata: notes,
      tensors,
      ignored: new Map(),
      limit,
      failure: tfjsFailure,
    });
  });
}

function lazyWeight(spec: WeightSpec, data: ByteSource, start: number): LazyTensor {
  const { dtype, shape, byteLength, storedLength, quantization } = spec;
  return {
    dtype,
    shape,
    byteLength,
    read: () =>
      withTfjsErrors(async () => {
        const stored = await readExactly(data, start, start + storedLength);
        return quantization ? dequantize(stored, quantization, dtype as 'float32' | 'int32') : stored;
      }),
  };
}

/** Whether all bytes of the shards of a group belong to its weights. @throws TfjsFileError InvalidSize */
export function checkSize({ paths, weights }: WeightGroup, size: number): void {
  const expected = weights.reduce((sum, { storedLength }) => sum + storedLength, 0);
  if (expected === size) return;
  throw new TfjsFileError(
    'InvalidSize',
    `its ${weights.length} weights take ${expected} bytes, the ${paths.length} files from ` +
      `${JSON.stringify(paths[0] ?? '')} on have ${size}. ` +
      (size < expected ? 'One of them is cut short: download it again.' : 'They belong to another model.json.'),
  );
}

async function readText(source: ByteSource): Promise<string> {
  if (source.size > MAX_JSON_BYTES) {
    throw new TfjsFileError(
      'TooLarge',
      `it has ${source.size} bytes; at most ${MAX_JSON_BYTES} are read of a model.json. Is this the right file?`,
    );
  }
  const bytes = await readExactly(source, 0, source.size);
  try {
    // `slice` also turns shared memory, which decoders refuse, into our own.
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes.slice());
  } catch (cause) {
    throw new TfjsFileError('NotTfjs', 'it is not UTF-8 text, as a model.json is.', { cause });
  }
}
