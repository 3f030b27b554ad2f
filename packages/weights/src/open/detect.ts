import { startsNpy } from '../numpy/header.ts';
import { looksLikeOnnx } from '../onnx/model.ts';
import { MAX_HEADER_BYTES } from '../safetensors/header.ts';
import { JsonCursor } from '../safetensors/jsonCursor.ts';
import type { Reading } from '../source/reading.ts';
import { startsLegacy } from '../torch/legacyCheckpoint.ts';
import type { WeightsFormat } from '../weightsFile.ts';
import { readZipDirectory } from '../zip/directory.ts';
import { textFaults, WeightsFormatError } from './errors.ts';
import { foreignArchive, foreignFile, foreignJson, pickleIndex } from './foreign.ts';

/** What a file is; an index of safetensors is the beginning of one in several files. */
export type Detected = Exclude<WeightsFormat, 'npy' | 'npz'> | 'numpy' | 'safetensorsIndex';

const ZIP_STARTS = [
  [0x50, 0x4b, 3, 4],
  [0x50, 0x4b, 5, 6],
];
/** Enough to tell formats apart; the signature of tar archives stands at byte 257. */
const HEAD_BYTES = 512;
/** Text longer than this is not looked through for its meaning. */
const MAX_TEXT_BYTES = MAX_HEADER_BYTES;

/**
 * Tells from its bytes what a file of `size` bytes is.
 *
 * @throws WeightsFormatError; ZipError for a damaged archive
 */
export function* detectFormat(size: number): Reading<Detected> {
  const head = yield [0, Math.min(size, HEAD_BYTES)];
  if (startsNpy(head)) return 'numpy';
  if (startsLegacy(head)) return 'torch';
  if (ZIP_STARTS.some((start) => start.every((byte, i) => head[i] === byte))) return yield* detectArchive(size);
  if (startsSafetensors(head, size)) return 'safetensors';
  if (yield* looksLikeOnnx(size)) return 'onnx';
  if (startsObject(head)) return yield* detectJson(size);
  throw foreignFile(head);
}

function* detectArchive(size: number): Reading<Detected> {
  const names = [...(yield* readZipDirectory(size)).keys()];
  // Programs (TorchScript) too: its reader says why they are refused.
  if (names.some((name) => /^([^/]+\/)?(data|constants)\.pkl$/.test(name))) return 'torch';
  if (names.some((name) => name.endsWith('.npy'))) return 'numpy';
  throw foreignArchive(names);
}

/**
 * The length of the header, below 2^32, and the brace it begins with, perhaps after white space. The length may be wrong: a
 * file that was cut short is to be called that.
 */
function startsSafetensors(head: Uint8Array, size: number): boolean {
  if (size < 9 || head[4] !== 0 || head[5] !== 0 || head[6] !== 0 || head[7] !== 0) return false;
  const header = head.subarray(8);
  const first = header.findIndex((byte) => ![0x20, 0x09, 0x0a, 0x0d].includes(byte));
  return first === -1 ? header.byteLength > 0 : header[first] === 0x7b;
}

/** A brace, perhaps after a byte order mark or white space. */
function startsObject(head: Uint8Array): boolean {
  return new TextDecoder().decode(head.slice()).trimStart().startsWith('{');
}

function* detectJson(size: number): Reading<Detected> {
  if (size > MAX_TEXT_BYTES) {
    throw new WeightsFormatError('Text', `this is JSON of ${size} bytes; at most ${MAX_TEXT_BYTES} are looked at.`);
  }
  const text = new TextDecoder().decode((yield [0, size]).slice());
  const cursor = new JsonCursor(text, 'file', textFaults);
  const values = new Map<string, string>();
  cursor.object('the outermost object', (key) => {
    values.set(key, cursor.skipValue('a value'));
  });
  if (values.has('weightsManifest')) return 'tfjs';
  const weightMap = values.get('weight_map');
  if (weightMap === undefined) throw foreignJson([...values.keys()]);
  if (/\.bin"\s*[,}]/.test(weightMap)) throw pickleIndex();
  return 'safetensorsIndex';
}
