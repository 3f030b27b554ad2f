import { MAX_RANK } from '../safetensors/header.ts';
import { JsonCursor } from '../safetensors/jsonCursor.ts';
import { elementCount } from '../shape.ts';
import { quote } from '../weightsError.ts';
import { manifestFaults, TfjsFileError } from './errors.ts';
import { QUANTIZED_WIDTHS, type Quantization, WEIGHT_WIDTHS } from './weightTypes.ts';

/** One weight, as the manifest describes it. */
export interface WeightSpec {
  readonly name: string;
  /** What it is when it was read: quantised weights are float32 or int32. */
  readonly dtype: 'float32' | 'int32' | 'bool' | 'uint8' | 'uint16' | 'complex64';
  readonly shape: readonly number[];
  readonly quantization: Quantization | undefined;
  /** Bytes in the shards. */
  readonly storedLength: number;
  /** Bytes once it was read. */
  readonly byteLength: number;
}

/** Weights that lie one after the other in files that belong together. */
export interface WeightGroup {
  /** Names of the files, as the manifest has them: to be checked before use. */
  readonly paths: readonly string[];
  readonly weights: readonly WeightSpec[];
}

export interface Manifest {
  /** `format`, `generatedBy`, `convertedBy`, as far as they are there. */
  readonly notes: ReadonlyMap<string, string>;
  readonly groups: readonly WeightGroup[];
}

const NOTES = ['format', 'generatedBy', 'convertedBy'];
/** The most shards of one model, each of which is a file to be opened. */
const MAX_SHARDS = 10_000;

/**
 * Reads the manifest of weights out of a model.json, of a layers model or a graph model. The model itself, its topology, is
 * passed over.
 *
 * @throws TfjsFileError NotTfjs, InvalidManifest, UnsupportedDtype
 */
export function parseManifest(json: string): Manifest {
  const cursor = new JsonCursor(json, 'model.json', manifestFaults);
  const notes = new Map<string, string>();
  let groups: WeightGroup[] | undefined;
  cursor.object('the model', (key) => {
    if (key === 'weightsManifest') groups = readGroups(cursor);
    else if (!NOTES.includes(key)) cursor.skipValue(`the value of ${quote(key)}`);
    else readNote(cursor, key, notes);
  });
  cursor.end();
  if (groups === undefined) {
    throw new TfjsFileError(
      'NotTfjs',
      'this JSON has no member "weightsManifest": it is no model.json of TensorFlow.js, or one without weights.',
    );
  }
  checkUnique(groups);
  return { notes, groups };
}

/** Converters write null where there is nothing to say. */
function readNote(cursor: JsonCursor, key: string, notes: Map<string, string>): void {
  const text = cursor.skipValue(`the value of ${quote(key)}`);
  if (text.startsWith('"')) notes.set(key, JSON.parse(text) as string);
}

function readGroups(cursor: JsonCursor): WeightGroup[] {
  const groups: WeightGroup[] = [];
  cursor.array('weightsManifest as an array', () => {
    let paths: string[] | undefined;
    let weights: WeightSpec[] | undefined;
    cursor.object('a group of weights', (key) => {
      if (key === 'paths') paths = readPaths(cursor);
      else if (key === 'weights') weights = readWeights(cursor);
      else cursor.skipValue(`the value of ${quote(key)}`);
    });
    if (paths === undefined || weights === undefined) cursor.fail('paths and weights before the group closed');
    groups.push({ paths, weights });
  });
  return groups;
}

function readPaths(cursor: JsonCursor): string[] {
  const paths: string[] = [];
  cursor.array('paths as an array', () => paths.push(cursor.string('a path')));
  return paths;
}

function readWeights(cursor: JsonCursor): WeightSpec[] {
  const weights: WeightSpec[] = [];
  cursor.array('weights as an array', () => weights.push(readWeight(cursor)));
  return weights;
}

function readWeight(cursor: JsonCursor): WeightSpec {
  let name: string | undefined;
  let dtype: string | undefined;
  let shape: number[] | undefined;
  let quantization: RawQuantization | undefined;
  cursor.object('the description of a weight', (field) => {
    if (field === 'name') name = cursor.string('the name of a weight');
    else if (field === 'dtype') dtype = cursor.string('the dtype of a weight');
    else if (field === 'shape') shape = readShape(cursor);
    else if (field === 'quantization') quantization = readQuantization(cursor);
    else cursor.skipValue(`the value of ${quote(field)}`);
  });
  if (name === undefined || dtype === undefined || shape === undefined) {
    cursor.fail('name, dtype and shape before the description of a weight closed');
  }
  return checkedSpec(name, dtype, Object.freeze(shape), quantization);
}

function readShape(cursor: JsonCursor): number[] {
  const shape: number[] = [];
  cursor.array('shape as an array', () => {
    if (shape.length === MAX_RANK) cursor.fail(`a shape of at most ${MAX_RANK} sizes`);
    shape.push(cursor.integer('a size in a shape'));
  });
  return shape;
}

interface RawQuantization {
  dtype?: string;
  scale?: number;
  min?: number;
}

function readQuantization(cursor: JsonCursor): RawQuantization {
  const found: RawQuantization = {};
  cursor.object('quantization', (field) => {
    if (field === 'dtype') found.dtype = cursor.string('the dtype of a quantization');
    else if (field === 'scale' || field === 'min') found[field] = readNumber(cursor, field);
    else cursor.skipValue(`the value of ${quote(field)}`);
  });
  return found;
}

function readNumber(cursor: JsonCursor, what: string): number {
  const text = cursor.skipValue(what);
  const value = /^[-\d]/.test(text) ? Number(text) : Number.NaN;
  if (Number.isFinite(value)) return value;
  return cursor.fail(`${what} as a finite number before`);
}

/** @throws TfjsFileError InvalidManifest, UnsupportedDtype */
function checkedSpec(
  name: string,
  dtype: string,
  shape: readonly number[],
  raw: RawQuantization | undefined,
): WeightSpec {
  const label = `weight ${quote(name)}`;
  const width = WEIGHT_WIDTHS.get(dtype);
  if (dtype === 'string') {
    throw new TfjsFileError(
      'UnsupportedDtype',
      `${label} holds strings, which are no numbers, and whose length only the shard knows. Convert the model without them.`,
    );
  }
  if (width === undefined) {
    throw new TfjsFileError(
      'InvalidManifest',
      `${label} has dtype ${quote(dtype)}; expected one of ${[...WEIGHT_WIDTHS.keys()].join(', ')}.`,
    );
  }
  const quantization = raw && checkedQuantization(label, dtype, raw);
  const count = elementCount(shape);
  const storedWidth = quantization ? QUANTIZED_WIDTHS.get(quantization.dtype)! : width;
  if (count === undefined || !Number.isSafeInteger(count * width)) {
    throw new TfjsFileError('InvalidManifest', `${label} of shape [${shape.join(', ')}] takes more than 2^53 bytes.`);
  }
  return {
    name,
    dtype: dtype as WeightSpec['dtype'],
    shape,
    quantization,
    storedLength: count * storedWidth,
    byteLength: count * width,
  };
}

function checkedQuantization(
  label: string,
  dtype: string,
  { dtype: stored, scale, min }: RawQuantization,
): Quantization {
  if (stored === 'float16' && dtype === 'float32') return { dtype: stored };
  if ((stored === 'uint8' || stored === 'uint16') && (dtype === 'float32' || dtype === 'int32')) {
    if (scale !== undefined && min !== undefined) return { dtype: stored, scale, min };
    throw new TfjsFileError('InvalidManifest', `${label} is quantised to ${stored} without a scale and a min.`);
  }
  throw new TfjsFileError(
    'InvalidManifest',
    `${label} of dtype ${dtype} is quantised to ${quote(String(stored))}; expected uint8 or uint16 for float32 and int32, ` +
      'or float16 for float32.',
  );
}

/** Each weight and each shard once. @throws TfjsFileError InvalidManifest */
function checkUnique(groups: readonly WeightGroup[]): void {
  for (const [what, all] of [
    ['weight', groups.flatMap(({ weights }) => weights.map(({ name }) => name))],
    ['shard', groups.flatMap(({ paths }) => paths)],
  ] as const) {
    const seen = new Set<string>();
    for (const name of all) {
      if (seen.has(name)) throw new TfjsFileError('InvalidManifest', `${what} ${quote(name)} is there twice.`);
      seen.add(name);
    }
    if (what === 'shard' && seen.size > MAX_SHARDS) {
      throw new TfjsFileError('InvalidManifest', `it names ${seen.size} shards; at most ${MAX_SHARDS} are opened.`);
    }
  }
}
