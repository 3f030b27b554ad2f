import { type DigitSet, type LabelledImages, readLabelledImages } from './digits.ts';
import { type Files, missingFile } from './files/files.ts';
import { inflate } from './files/inflate.ts';
import { insideRoot, joinPath } from './files/paths.ts';

/** The classes of Fashion-MNIST, in the order of its labels. */
export const FASHION_MNIST_CLASSES = [
  'T-shirt/top',
  'Trouser',
  'Pullover',
  'Dress',
  'Coat',
  'Sandal',
  'Shirt',
  'Sneaker',
  'Bag',
  'Ankle boot',
] as const;

/** Options of {@link readIdxSet}. */
export interface IdxSetOptions {
  /** the folder of the four files; default the root */
  readonly folder?: string;
  /** for messages; default `IDX set` */
  readonly name?: string;
  readonly signal?: AbortSignal | undefined;
}

/** 60,000 images of 28 x 28 pixels have 47 MB. */
const MAX_UNPACKED = 256 * 2 ** 20;

/**
 * MNIST, Fashion-MNIST and other sets of ten classes in the same four files: `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`
 * and the same with `t10k`, each as it is or packed (`.gz`).
 *
 * @throws DatasetError `missing`; `annotation` for a damaged .gz; what {@link readLabelledImages} throws
 */
export async function readIdxSet(files: Files, options: IdxSetOptions = {}): Promise<DigitSet> {
  const [train, test] = await Promise.all([readSplit(files, 'train', options), readSplit(files, 't10k', options)]);
  return { train, test };
}

async function readSplit(files: Files, split: 'train' | 't10k', options: IdxSetOptions): Promise<LabelledImages> {
  const { name = 'IDX set' } = options;
  const [images, labels] = await Promise.all([
    readIdxFile(files, `${split}-images-idx3-ubyte`, options),
    readIdxFile(files, `${split}-labels-idx1-ubyte`, options),
  ]);
  return readLabelledImages(images, labels, `${name} ${split}`);
}

async function readIdxFile(files: Files, file: string, { folder = '', signal }: IdxSetOptions): Promise<Uint8Array> {
  const path = joinPath(insideRoot(folder), file);
  if ((await files.stat(path)) !== undefined) return files.read(path, { signal });
  const packed = `${path}.gz`;
  if ((await files.stat(packed)) === undefined) throw missingFile(path, undefined, `neither this file nor ${file}.gz`);
  return inflate(await files.read(packed, { signal }), 'gzip', { source: packed, maxBytes: MAX_UNPACKED, signal });
}
