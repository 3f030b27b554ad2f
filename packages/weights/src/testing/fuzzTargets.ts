import { rowMajor } from '../numpy/elements.ts';
import { readNpyHeader } from '../numpy/header.ts';
import { readModel } from '../onnx/model.ts';
import { decodeElements } from '../onnx/openOnnx.ts';
import { detectFormat } from '../open/detect.ts';
import { PickleObject, type PickleValue } from '../pickle/values.ts';
import { parseSafetensors } from '../safetensors/parse.ts';
import { runOnBytes } from '../source/reading.ts';
import type { StateTensor } from '../stateTensor.ts';
import { parseManifest } from '../tfjs/manifest.ts';
import { checkSize } from '../tfjs/openTfjs.ts';
import { dequantize } from '../tfjs/weightTypes.ts';
import { NumpyArray } from '../torch/numpyObjects.ts';
import { parseTorch } from '../torch/openTorch.ts';
import { WeightsError } from '../weightsError.ts';
import { readZipDirectory } from '../zip/directory.ts';
import { locateEntry } from '../zip/entry.ts';
import { writeZip, type ZipFile } from '../zip/writeZip.ts';
import { fileOf, fixture } from './bytes.ts';
import { npyHeader, npyOf } from './npyBuilder.ts';
import { modelOf } from './tfjsBuilder.ts';
import { torchFixture } from './torchFixtures.ts';

/** One parser under random input. */
export interface FuzzTarget {
  readonly name: string;
  /** Valid inputs, which are damaged. */
  readonly seeds: readonly Uint8Array[];
  /** Pieces that mean something in this format. */
  readonly tokens: readonly Uint8Array[];
  /**
   * Opens the input and reads everything in it.
   *
   * @returns 'opened', or the code of the refusal
   * @throws if the parser breaks its promise: an untyped error, a tensor that does not fit its shape, too much memory
   */
  readonly run: (input: Uint8Array) => string;
}

const ZIP_FIXTURES = ['dtypes', 'views', 'training', 'quantised', 'container_model_ema', 'whole_module'];
const LEGACY_FIXTURES = ['dtypes', 'views', 'training', 'quantised', 'whole_module'];

const text = (words: string): Uint8Array[] => words.split(' ').map((word) => new TextEncoder().encode(word));

const NUMBERS = [0, 1, 2, 4, 255, 256, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff].map((value) =>
  Uint8Array.of(value, value >>> 8, value >>> 16, value >>> 24),
);

const PICKLE_TOKENS = [
  ...NUMBERS,
  // Instructions, and short runs of them.
  ...text(
    '( ) . N R b a e s u t Q } ] (t )R )\x81 q\x00 q\x01 h\x00 h\x01 h\x02 h\x05 h\x0a h\x0d h\x10 K\x00 K\x01 K\x04 Kx',
  ),
  ...[0x85, 0x86, 0x87, 0x88, 0x89, 0x8f, 0x81].map((code) => Uint8Array.of(code)),
  Uint8Array.of(0x8a, 8, 0, 0, 0, 0, 0, 0, 0, 0x80),
  Uint8Array.of(0x8a, 7, 255, 255, 255, 255, 255, 255, 0x1f),
  Uint8Array.of(0x47, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0),
  ...[
    'collections\nOrderedDict',
    'collections\nCounter',
    'torch._utils\n_rebuild_tensor_v2',
    'torch._utils\n_rebuild_tensor_v3',
    'torch._utils\n_rebuild_parameter',
    'torch._tensor\n_rebuild_from_type_v2',
    'torch\nTensor',
    'torch\nSize',
    'torch\nfloat16',
    'torch\nFloatStorage',
    'torch\nDoubleStorage',
    'torch.storage\nUntypedStorage',
    'argparse\nNamespace',
    '__builtin__\nset',
    '_codecs\nencode',
    'numpy\ndtype',
    'numpy\nndarray',
    'numpy.core.multiarray\nscalar',
    'numpy.core.multiarray\n_reconstruct',
    'os\nsystem',
  ].map((name) => new TextEncoder().encode(`c${name}\n`)),
  Uint8Array.of(0x58, 7, 0, 0, 0, ...new TextEncoder().encode('storage')),
  Uint8Array.of(0x58, 6, 0, 0, 0, ...new TextEncoder().encode('latin1')),
  Uint8Array.of(0x58, 1, 0, 0, 0, 0x30),
];

const ZIP_TOKENS = [
  ...NUMBERS,
  ...text(
    'PK\x01\x02 PK\x03\x04 PK\x05\x06 PK\x06\x06 PK\x06\x07 PK\x07\x08 /data/0 /data/1 /data.pkl /version ../ FB',
  ),
];

const SAFETENSORS_TOKENS = text(
  '" \\ { } [ ] , : "a" "__proto__" "__metadata__" 0 1 16 -1 1.0 1e3 9007199254740992 null true "dtype" "shape" ' +
    '"data_offsets" "F32" "F4" "I64" "BOOL" "F8_E4M3"',
);

const NPY_TOKENS = [
  ...NUMBERS,
  ...text(
    "{ } ( ) , : ' True False 'descr' 'fortran_order' 'shape' '<f4' '>c16' '|b1' '|O' '<U3' (2,3) (0,) () (2L,) -1 1.0 1e3 " +
      '9007199254740992 94906267, [(',
  ),
  ...[1, 2, 3].map((major) => Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, major, 0)),
];

const TFJS_TOKENS = text(
  '" { } [ ] , : "a" "__proto__" "../a" 0 1 -1 1.0 1e3 1e999 9007199254740992 94906267 null "name" "dtype" "shape" "paths" ' +
    '"weights" "weightsManifest" "quantization" "scale" "min" "float32" "int32" "bool" "string" "uint8" "uint16" "float16"',
);

/** Tags of the fields that matter, lengths, and numbers at the borders of their encoding. */
const ONNX_TOKENS = [
  ...[0x08, 0x10, 0x22, 0x2a, 0x32, 0x3a, 0x42, 0x4a, 0x52, 0x5a, 0x6a, 0x70, 0x72, 0x7a].map((tag) =>
    Uint8Array.of(tag),
  ),
  ...[0, 1, 2, 4, 7, 8, 16, 127].map((value) => Uint8Array.of(value)),
  Uint8Array.of(0x2a, 0x06, 0x08, 0x00, 0x10, 0x01, 0x42, 0x00),
  Uint8Array.of(0x80, 0x01),
  Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x0f),
  Uint8Array.of(255, 255, 255, 255, 255, 255, 255, 255, 255, 1),
  ...text('location offset length ../a 0 16'),
];

/** The files of an archive that is known to be good. */
function filesOf(archive: Uint8Array): ZipFile[] {
  return [...runOnBytes(readZipDirectory(archive.length), archive)].map(([name, entry]) => {
    const start = runOnBytes(locateEntry(entry), archive);
    return { name, bytes: archive.slice(start, start + entry.size) };
  });
}

/** Storages for the pickles of every fixture: keys 0 to 30, 512 bytes each. */
const STORAGES: readonly ZipFile[] = Array.from({ length: 31 }, (_, i) => ({
  name: `archive/data/${i}`,
  bytes: Uint8Array.from({ length: 512 }, (_, k) => k + i),
}));

/** Bytes of its own: the `slice` of Node's Buffer does not copy. */
const safetensorsFixture = (name: string) => new Uint8Array(fixture(`${name}.safetensors`));
const TYPES = safetensorsFixture('upstream_types');
const TYPES_HEADER_END = 8 + new DataView(TYPES.buffer, TYPES.byteOffset).getUint32(0, true);

/** Runs a parser; the code of its refusal, if that is one of ours. */
export function outcomeOf(input: Uint8Array, open: () => ReadonlyMap<string, StateTensor>): string {
  let tensors: ReadonlyMap<string, StateTensor>;
  try {
    tensors = open();
  } catch (error) {
    if (error instanceof WeightsError) return error.code;
    throw error;
  }
  let total = 0;
  for (const [name, { shape, data }] of tensors) {
    if (data.length !== shape.reduce((product, size) => product * size, 1)) {
      throw new Error(`tensor ${name} of shape [${shape}] has ${data.length} elements`);
    }
    total += data.byteLength;
  }
  // Float8 values are decoded to four bytes each; see readTensors for the sum that is let through.
  if (total > 16 * input.length + 4 * 64 * 2 ** 20) throw new Error(`${total} bytes out of ${input.length}`);
  return 'opened';
}

function readTorch(file: Uint8Array): ReadonlyMap<string, StateTensor> {
  const checkpoint = parseTorch(file);
  checkpoint.verify();
  readArrays(checkpoint.root);
  const state = checkpoint.stateDict();
  const tensors = new Map<string, StateTensor>();
  for (const name of state.names) {
    const data = state.bytes(name);
    const { byteLength, shape } = state.info(name);
    if (data.byteLength !== byteLength) throw new Error(`${name}: ${data.byteLength} bytes of ${byteLength}`);
    tensors.set(name, { dtype: 'uint8', shape: [byteLength], data });
    if (byteLength > Math.max(file.length, 2 ** 20))
      throw new Error(`${name}: shape [${shape}] of ${file.length} bytes`);
  }
  return new Map([...tensors, ...state.toStateDict()]);
}

/** Decodes every NumPy array beside the tensors. */
function readArrays(root: PickleValue): void {
  const open = [root];
  const seen = new Set<PickleValue>();
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    if (typeof value !== 'object' || value === null || seen.has(value)) continue;
    seen.add(value);
    if (value instanceof NumpyArray) value.toTensor();
    else if (value instanceof Map) open.push(...value.keys(), ...value.values());
    else if (value instanceof PickleObject) open.push(...value.children);
    else if (!(value instanceof Uint8Array)) open.push(...value);
  }
}

/** Elements as bytes, for {@link outcomeOf} to count. */
const asBytes = (data: Uint8Array, expected: number): StateTensor => ({ dtype: 'uint8', shape: [expected], data });

function readNpy(file: Uint8Array): ReadonlyMap<string, StateTensor> {
  const header = runOnBytes(readNpyHeader(file.length), file);
  return new Map([['arr_0', asBytes(rowMajor(file.subarray(header.dataStart), header), header.byteLength)]]);
}

/** Every initialiser but those in other files. */
function readOnnx(file: Uint8Array): ReadonlyMap<string, StateTensor> {
  const tensors = new Map<string, StateTensor>();
  for (const [name, tensor] of runOnBytes(readModel(file.length), file).tensors) {
    const { place, byteLength } = tensor;
    if (place.kind === 'external') continue;
    const stored = place.kind === 'none' ? new Uint8Array(0) : file.subarray(place.start, place.end);
    tensors.set(name, asBytes(decodeElements(tensor, stored), byteLength));
  }
  return tensors;
}

/** Bytes of the shards that {@link TFJS_MODEL} names. */
const SHARD_SIZES: Readonly<Record<string, number>> = { 'group1-shard1of1.bin': 12, 'sub/b': 0 };

/** Every weight, made of shards of zeros. */
function readManifest(json: Uint8Array): ReadonlyMap<string, StateTensor> {
  const tensors = new Map<string, StateTensor>();
  for (const group of parseManifest(new TextDecoder().decode(json)).groups) {
    checkSize(
      group,
      group.paths.reduce((sum, path) => sum + (SHARD_SIZES[path] ?? 0), 0),
    );
    for (const { name, dtype, quantization, storedLength, byteLength } of group.weights) {
      const stored = new Uint8Array(storedLength);
      const read = quantization ? dequantize(stored, quantization, dtype as 'float32' | 'int32') : stored;
      tensors.set(name, asBytes(read, byteLength));
    }
  }
  return tensors;
}

const TFJS_MODEL = modelOf(
  [
    {
      weights: [
        { name: 'a', shape: [2, 2], dtype: 'float32', quantization: { dtype: 'uint8', scale: 0.5, min: -1 } },
        { name: 'b', shape: [3], dtype: 'int32', quantization: { dtype: 'uint16', scale: 1e-3, min: 0 } },
        { name: 'c', shape: [], dtype: 'float32', quantization: { dtype: 'float16' } },
      ],
      shards: { 'group1-shard1of1.bin': new Uint8Array(12) },
    },
    { weights: [{ name: 'd', shape: [0, 5], dtype: 'bool' }], shards: { 'sub/b': new Uint8Array(0) } },
  ],
  { generatedBy: 'x', modelTopology: { node: [{ op: 'Const' }] } },
).json;

const NPY_SEEDS = [
  ...[1, 2, 3].map((version) => new Uint8Array(fixture(`numpy/version_${version}.npy`))),
  npyOf(npyHeader('<u2', '(3, 2)', 'True'), 12),
];
const ONNX_SEEDS = ['raw', 'fields', 'external', 'mixed'].map((name) => new Uint8Array(fixture(`onnx/${name}.onnx`)));

export const FUZZ_TARGETS: readonly FuzzTarget[] = [
  {
    name: 'safetensors',
    seeds: ['upstream_types', 'upstream_opaque', 'structsa_operator'].map(safetensorsFixture),
    tokens: SAFETENSORS_TOKENS,
    run: (input) => outcomeOf(input, () => parseSafetensors(input).toStateDict()),
  },
  {
    // A header with its true length in front of it.
    name: 'safetensors header',
    seeds: [TYPES.slice(8, TYPES_HEADER_END)],
    tokens: SAFETENSORS_TOKENS,
    run: (input) =>
      outcomeOf(TYPES, () => parseSafetensors(fileOf(input, TYPES.subarray(TYPES_HEADER_END))).toStateDict()),
  },
  {
    // The container: most damage ends at a header or a checksum.
    name: 'torch zip',
    seeds: ZIP_FIXTURES.map((name) => torchFixture(`${name}.pth`)),
    tokens: ZIP_TOKENS,
    run: (input) => outcomeOf(input, () => readTorch(input)),
  },
  {
    // The pickle in a container that is whole: what the interpreter and the tensors make of it.
    name: 'torch pickle',
    seeds: ZIP_FIXTURES.map(
      (name) => filesOf(torchFixture(`${name}.pth`)).find((file) => file.name.endsWith('.pkl'))!.bytes,
    ),
    tokens: PICKLE_TOKENS,
    run: (input) =>
      outcomeOf(input, () => readTorch(writeZip([{ name: 'archive/data.pkl', bytes: input }, ...STORAGES]))),
  },
  {
    name: 'torch legacy',
    seeds: LEGACY_FIXTURES.map((name) => torchFixture(`${name}.legacy.pth`)),
    tokens: PICKLE_TOKENS,
    run: (input) => outcomeOf(input, () => readTorch(input)),
  },
  {
    name: 'npy',
    seeds: NPY_SEEDS,
    tokens: NPY_TOKENS,
    run: (input) => outcomeOf(input, () => readNpy(input)),
  },
  {
    // A header with its true length in front of it, and 192 bytes of data.
    name: 'npy header',
    seeds: [npyHeader('>f8', '(2, 3, 4)', 'True'), npyHeader('|i1', '(192,)')].map((line) =>
      new TextEncoder().encode(line),
    ),
    tokens: NPY_TOKENS,
    run: (input) => outcomeOf(npyOf(input, 192, 2), () => readNpy(npyOf(input, 192, 2))),
  },
  {
    name: 'onnx',
    seeds: ONNX_SEEDS,
    tokens: ONNX_TOKENS,
    run: (input) => outcomeOf(input, () => readOnnx(input)),
  },
  {
    name: 'tfjs manifest',
    seeds: [TFJS_MODEL],
    tokens: TFJS_TOKENS,
    run: (input) => outcomeOf(input, () => readManifest(input)),
  },
  {
    // What any file is: told, or refused with a message.
    name: 'detection',
    seeds: [
      TYPES,
      torchFixture('views.pth'),
      torchFixture('views.legacy.pth'),
      NPY_SEEDS[0]!,
      ONNX_SEEDS[0]!,
      TFJS_MODEL,
    ],
    tokens: [...ZIP_TOKENS, ...text('< { "weight_map" "weightsManifest" https://git-lfs ustar GGUF')],
    run: (input) =>
      outcomeOf(input, () => {
        runOnBytes(detectFormat(input.length), input);
        return new Map();
      }),
  },
];
