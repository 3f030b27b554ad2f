import { jsonFaults, quote, SafetensorsError } from './errors.ts';
import { MAX_HEADER_BYTES } from './header.ts';
import { JsonCursor } from './jsonCursor.ts';

/** A checkpoint split over several files, as `model.safetensors.index.json` describes it. */
export interface SafetensorsIndex {
  /** Tensor name to file name. */
  readonly weightMap: ReadonlyMap<string, string>;
  /** Each file name once, in the order of first mention. All are plain names, to be looked up beside the index. */
  readonly shards: readonly string[];
  /** Bytes of all tensors together, if the index states it. */
  readonly totalSize: number | undefined;
}

/**
 * Reads a shard index (`model.safetensors.index.json`).
 *
 * File names come from a stranger and will be joined to a path or URL, so only plain names are let through: letters,
 * digits and `. _ - + = ~ @ , ( ) [ ]` or spaces, ending in ".safetensors". That leaves no way to write a folder,
 * "..", an absolute path, a drive, a URL, a percent escape or a NUL.
 *
 * @throws SafetensorsError InvalidIndex
 */
export function parseSafetensorsIndex(json: string): SafetensorsIndex {
  if (typeof json !== 'string') {
    throw new SafetensorsError('InvalidArgument', `expected the text of the index, got ${typeof json}.`);
  }
  if (json.length > MAX_HEADER_BYTES) {
    throw new SafetensorsError(
      'InvalidIndex',
      `the index has ${json.length} characters, at most ${MAX_HEADER_BYTES} are read. This is not a shard index.`,
    );
  }
  const cursor: JsonCursor = new JsonCursor(json, 'index', jsonFaults('InvalidIndex'));
  let weightMap: Map<string, string> | undefined;
  let totalSize: number | undefined;
  cursor.object('the index', (key) => {
    if (key === 'weight_map') weightMap = readWeightMap(cursor);
    else if (key === 'metadata') totalSize = readTotalSize(cursor);
    else cursor.skipValue(`the value of ${quote(key)}`);
  });
  cursor.end();
  if (weightMap === undefined) cursor.fail('a member "weight_map"');
  return { weightMap, shards: [...new Set(weightMap.values())], totalSize };
}

function readWeightMap(cursor: JsonCursor): Map<string, string> {
  const weightMap = new Map<string, string>();
  cursor.object('weight_map', (name) => {
    const shard = cursor.string(`a file name for tensor ${quote(name)}`);
    if (!isPlainFileName(shard)) {
      throw new SafetensorsError(
        'InvalidIndex',
        `tensor ${quote(name)} is said to be in ${quote(shard)}; expected the plain name of a .safetensors file beside ` +
          'the index, without folder, drive, URL or escape. Do not load this checkpoint unless you know who wrote it; ' +
          'if you do, move its files into one folder and correct the index.',
      );
    }
    weightMap.set(name, shard);
  });
  return weightMap;
}

/** `metadata.total_size`; the other members are notes of whoever wrote the index. */
function readTotalSize(cursor: JsonCursor): number | undefined {
  let totalSize: number | undefined;
  cursor.object('metadata', (key) => {
    if (key === 'total_size') totalSize = cursor.integer('total_size');
    else cursor.skipValue(`the value of ${quote(key)} in metadata`);
  });
  return totalSize;
}

function isPlainFileName(name: string): boolean {
  const plain = /^[\p{L}\p{N}_][\p{L}\p{M}\p{N} ._+=~@,()[\]-]*\.safetensors$/u;
  // Windows opens a device, whatever the extension, for these names.
  const device = /^(con|prn|aux|nul|com\d|lpt\d)\./i;
  return name.length <= 255 && plain.test(name) && !device.test(name);
}
