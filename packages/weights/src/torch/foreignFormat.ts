import { TorchFileError, type TorchFileErrorCode } from './errors.ts';

const ascii = (text: string): number[] => [...text].map((c) => c.charCodeAt(0));

interface Signature {
  readonly at: number;
  readonly bytes: readonly number[];
  readonly what: string;
  readonly instead: string;
  readonly code?: TorchFileErrorCode;
}

const PROTOCOL_4 = 'Save it with torch.save and without the argument pickle_protocol.';

/** What people take for a file of PyTorch, by its first bytes. */
const SIGNATURES: readonly Signature[] = [
  {
    at: 257,
    bytes: ascii('ustar'),
    what: 'a tar archive, as PyTorch wrote before version 0.1.10',
    instead: 'Load it in PyTorch and save it again.',
    code: 'UnsupportedFormat',
  },
  { at: 8, bytes: ascii('{'), what: 'a safetensors file', instead: 'Open it with openSafetensors.' },
  { at: 0, bytes: [0x93, ...ascii('NUMPY')], what: 'a NumPy array (.npy)', instead: 'It is no checkpoint of PyTorch.' },
  { at: 0, bytes: [0x89, ...ascii('HDF')], what: 'an HDF5 file (Keras)', instead: 'It is no checkpoint of PyTorch.' },
  { at: 0, bytes: ascii('GGUF'), what: 'a GGUF file (llama.cpp)', instead: 'It is no checkpoint of PyTorch.' },
  { at: 0, bytes: [0x1f, 0x8b], what: 'compressed with gzip', instead: 'Unpack it first (gunzip).' },
  { at: 0, bytes: ascii('BZh'), what: 'compressed with bzip2', instead: 'Unpack it first (bunzip2).' },
  { at: 0, bytes: [0xfd, ...ascii('7zXZ')], what: 'compressed with xz', instead: 'Unpack it first (unxz).' },
  { at: 0, bytes: [0x28, 0xb5, 0x2f, 0xfd], what: 'compressed with zstd', instead: 'Unpack it first (unzstd).' },
  {
    at: 0,
    bytes: ascii('version https://git-lfs'),
    what: 'a pointer of Git LFS and not the file itself',
    instead: 'Fetch the file: git lfs pull, or the download link of the page.',
  },
  { at: 0, bytes: ascii('<'), what: 'a web page', instead: 'Use the link of the file itself.' },
  { at: 0, bytes: [0x80, 4], what: 'a pickle of protocol 4, not written by torch.save', instead: PROTOCOL_4 },
  { at: 0, bytes: [0x80, 5], what: 'a pickle of protocol 5, not written by torch.save', instead: PROTOCOL_4 },
  { at: 0, bytes: [0x80], what: 'a plain pickle, not written by torch.save', instead: PROTOCOL_4 },
];

/** The error for a file that is neither a zip archive nor a stream of torch.save. */
export function foreignFormat(head: Uint8Array): TorchFileError {
  if (head.byteLength === 0) return new TorchFileError('NotTorch', 'the file is empty. Download it again.');
  const found = SIGNATURES.find(({ at, bytes }) => bytes.every((byte, i) => head[at + i] === byte));
  if (found === undefined) {
    return new TorchFileError('NotTorch', 'these are not the first bytes of a file that torch.save wrote.');
  }
  return new TorchFileError(found.code ?? 'NotTorch', `this is ${found.what}. ${found.instead}`);
}

/** The error for a zip archive without `data.pkl` where it belongs. */
export function foreignArchive(names: readonly string[]): TorchFileError {
  const has = (test: (name: string) => boolean): boolean => names.some(test);
  const what = has((name) => name === 'data.pkl')
    ? 'the files of a checkpoint without the folder around them: zip the folder itself, without compression (zip -0 -r)'
    : has((name) => name.endsWith('.npy'))
      ? 'a NumPy archive (.npz)'
      : has((name) => name === 'model.weights.h5')
        ? 'a model of Keras'
        : has((name) => /(^|\/)(model|config)\.json$/.test(name))
          ? 'a zipped folder: unpack it and open the file of weights in it'
          : 'another kind of zip archive';
  return new TorchFileError('NotTorch', `this is ${what}. A file of torch.save holds one folder with a file data.pkl.`);
}
