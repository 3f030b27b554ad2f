import { quote } from '../weightsError.ts';
import { WeightsFormatError, type WeightsFormatErrorCode } from './errors.ts';

interface Signature {
  readonly code: WeightsFormatErrorCode;
  /** Where in the file its bytes stand. */
  readonly at: number;
  readonly bytes: readonly number[];
  readonly what: string;
  readonly instead: string;
}

const signature = (
  code: WeightsFormatErrorCode,
  bytes: string | readonly number[],
  what: string,
  instead: string,
  at = 0,
): Signature => ({
  code,
  at,
  bytes: typeof bytes === 'string' ? [...bytes].map((c) => c.charCodeAt(0)) : bytes,
  what,
  instead,
});

const FROM_KERAS = 'Convert it with tensorflowjs_converter, or save its weights as safetensors or .npz.';
const UNPACK = 'Unpack it first, and open the file of weights in it.';
const PICKLE = 'Save the weights with torch.save, or as safetensors: pickles of other programs are not read.';

/** What people take for weights, by the bytes at its beginning. */
const SIGNATURES: readonly Signature[] = [
  signature('OtherFormat', '\x89HDF\r\n\x1a\n', 'an HDF5 file (Keras .h5)', FROM_KERAS),
  signature('OtherFormat', 'GGUF', 'a GGUF file (llama.cpp)', 'Look for the same weights as safetensors.'),
  signature('OtherFormat', 'ggml', 'a GGML file (llama.cpp)', 'Look for the same weights as safetensors.'),
  signature('OtherFormat', 'TFL3', 'a TensorFlow Lite model', 'Open the model it was converted from.', 4),
  signature('OtherFormat', 'ORTM', 'a model in ORT format', 'Open the .onnx file it was made from.', 4),
  signature('OtherFormat', 'MATLAB', 'a MATLAB file', 'Save its matrices as .npy or .npz.'),
  signature('OtherFormat', 'PAR1', 'a Parquet file', 'It holds tables and no weights.'),
  signature('OtherFormat', 'ARROW1', 'an Arrow file', 'It holds tables and no weights.'),
  signature('OtherFormat', '\x89PNG', 'a picture (PNG)', 'Open the file of weights instead.'),
  signature('OtherFormat', [0xff, 0xd8, 0xff], 'a picture (JPEG)', 'Open the file of weights instead.'),
  signature('Compressed', [0x1f, 0x8b], 'compressed with gzip', 'Unpack it first (gunzip; tar -xzf for .tar.gz).'),
  signature('Compressed', 'BZh', 'compressed with bzip2', 'Unpack it first (bunzip2).'),
  signature('Compressed', [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0], 'compressed with xz', 'Unpack it first (unxz).'),
  signature('Compressed', [0x28, 0xb5, 0x2f, 0xfd], 'compressed with zstd', 'Unpack it first (unzstd).'),
  signature('Compressed', [0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c], 'a 7-Zip archive', UNPACK),
  signature('Compressed', 'Rar!', 'a RAR archive', UNPACK),
  signature(
    'Compressed',
    'ustar',
    'a tar archive',
    'Unpack it first (tar -xf). If it is a checkpoint of PyTorch from before version 0.1.10, load and save it in PyTorch.',
    257,
  ),
  signature(
    'GitLfsPointer',
    'version https://git-lfs',
    'a pointer of Git LFS and not the file itself',
    'Fetch the file: git lfs pull, or the download link of the page.',
  ),
  ...[2, 3, 4, 5].map((protocol) =>
    signature('OtherFormat', [0x80, protocol], 'a pickle that torch.save did not write', PICKLE),
  ),
];

/** The error for a file that begins with `head` and is in no format that is read. */
export function foreignFile(head: Uint8Array): WeightsFormatError {
  if (head.byteLength === 0) return new WeightsFormatError('Empty', 'the file is empty. Download it again.');
  const found = SIGNATURES.find(({ at, bytes }) => bytes.every((byte, i) => head[at + i] === byte));
  if (found !== undefined) return new WeightsFormatError(found.code, `this is ${found.what}. ${found.instead}`);
  const text = textOf(head);
  if (text?.startsWith('<')) {
    return new WeightsFormatError(
      'WebPage',
      'this is a web page, or an answer of a server in XML. Use the link of the file itself, and check that you may ' +
        `download it. It begins with ${quote(text)}.`,
    );
  }
  if (text !== undefined) {
    return new WeightsFormatError(
      'Text',
      `this is text and no weights: ${quote(text)}. If a server answered with it, check the link and your permissions.`,
    );
  }
  const bytes = [...head.subarray(0, 8)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
  return new WeightsFormatError(
    'UnknownFormat',
    `nothing that is read begins with the bytes ${bytes}. Read are safetensors, PyTorch (.pth, .pt, .bin), NumPy (.npy, ` +
      '.npz), TensorFlow.js (model.json) and ONNX (.onnx). Check that the download finished.',
  );
}

/** The error for JSON with these keys. */
export function foreignJson(keys: readonly string[]): WeightsFormatError {
  const named = keys.slice(0, 5).map(quote).join(', ');
  return new WeightsFormatError(
    'Text',
    `this is JSON with the keys ${named === '' ? '(none)' : named}. Read are model.json of TensorFlow.js ` +
      '("weightsManifest") and indexes of safetensors ("weight_map"); open the file of weights beside it.',
  );
}

/** The error for the index of a checkpoint whose parts are pickles. */
export function pickleIndex(): WeightsFormatError {
  return new WeightsFormatError(
    'OtherFormat',
    'this is the index of a checkpoint of PyTorch in several files (.bin). Open each of them with openTorch, or take the ' +
      'safetensors files of the same model.',
  );
}

/** The error for a zip archive with these files. */
export function foreignArchive(names: readonly string[]): WeightsFormatError {
  if (names.some((name) => name === 'model.weights.h5')) {
    return new WeightsFormatError('OtherFormat', `this is a model of Keras (.keras). ${FROM_KERAS}`);
  }
  const some = names.slice(0, 3).map(quote).join(', ');
  return new WeightsFormatError(
    'Compressed',
    `this is a zip archive with ${names.length} files (${some}), written neither by torch.save nor by np.savez. ${UNPACK}`,
  );
}

/** What the file begins with, if that is text. */
function textOf(head: Uint8Array): string | undefined {
  // A character of several bytes may be cut at the end of `head`.
  const text = new TextDecoder()
    .decode(head.slice())
    .replace(/\ufffd{1,3}$/, '')
    .trimStart();
  return /[\p{Cc}\ufffd]/u.test(text.replace(/[\n\r\t]/g, '')) ? undefined : text;
}
