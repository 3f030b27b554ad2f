import { STORED_TYPE_BY_DTYPE } from '../safetensors/storedTypes.ts';
import type { Reading } from '../source/reading.ts';
import type { Dtype, StateTensor } from '../stateTensor.ts';
import { quote } from '../weightsError.ts';
import type { Checkpoint } from './checkpoint.ts';
import { TorchFileError } from './errors.ts';
import { gather, reverseBytes } from './gather.ts';
import type { TorchTensor } from './objects.ts';

/** Below this size, an expanded tensor is no attack. */
const HARMLESS_BYTES = 2 ** 20;

/**
 * The elements of a tensor, row-major and little-endian. Only the part of the storage between its first and its last
 * element is read. The result is a view of the file in memory where the elements lie like that already.
 *
 * Strides of 0 repeat elements, so that a small file can describe a tensor of any size; more bytes than the file has
 * (or 1 MiB) are refused.
 *
 * @throws TorchFileError TooLarge, UnsupportedTensor; as Checkpoint.locate
 */
export function* readElements(checkpoint: Checkpoint, tensor: TorchTensor, name: string): Reading<Uint8Array> {
  if (tensor.lazy !== undefined) {
    throw new TorchFileError(
      'UnsupportedTensor',
      `${quote(name)} was saved with a negation or conjugation still to be done. Save ${tensor.lazy} in its place.`,
    );
  }
  if (tensor.byteLength > Math.max(checkpoint.size, HARMLESS_BYTES)) {
    throw new TorchFileError(
      'TooLarge',
      `${quote(name)} of shape [${tensor.shape.join(', ')}] repeats the elements of a storage of ` +
        `${tensor.storage.byteLength} bytes and would take ${tensor.byteLength} bytes, more than the whole file. Save it ` +
        'before it is expanded.',
    );
  }
  const { start, end } = tensor.extent;
  if (start === end) return new Uint8Array(0);
  const base = yield* checkpoint.locate(tensor.storage);
  const stored = yield [base + start, base + end];
  const { width, word } = tensor.type;
  if (tensor.isContiguous && !checkpoint.bigEndian) return stored;
  const elements = allocating(name, () => gather(stored, width, tensor.shape, tensor.stride));
  if (checkpoint.bigEndian) reverseBytes(elements, word);
  return elements;
}

/**
 * The tensor that these elements are.
 *
 * @throws TorchFileError UnsupportedDtype, TooLarge
 */
function decodeTensor({ type, shape }: TorchTensor, elements: Uint8Array, name: string): StateTensor {
  const carrier = STORED_TYPE_BY_DTYPE.get(type.dtype)?.carrier;
  if (carrier === undefined) {
    throw new TorchFileError(
      'UnsupportedDtype',
      `${quote(name)} has dtype ${type.dtype}, which no JavaScript array carries. Read its raw bytes with bytes(), or ` +
        'convert it before saving.',
    );
  }
  return { dtype: type.dtype as Dtype, shape, data: allocating(name, () => carrier.view(elements)) };
}

/** @throws TorchFileError UnsupportedDtype, before anything is read */
export function* readTensor(checkpoint: Checkpoint, tensor: TorchTensor, name: string): Reading<StateTensor> {
  if (STORED_TYPE_BY_DTYPE.get(tensor.type.dtype)?.carrier === undefined) {
    return decodeTensor(tensor, new Uint8Array(0), name);
  }
  return decodeTensor(tensor, yield* readElements(checkpoint, tensor, name), name);
}

function allocating<T>(name: string, make: () => T): T {
  try {
    return make();
  } catch (cause) {
    throw new TorchFileError('TooLarge', `${quote(name)} could not be allocated. Read its raw bytes in parts.`, {
      cause,
    });
  }
}

/** All tensors together may take this many bytes for each byte of the file: float8 values are decoded to four each. */
const BYTES_PER_FILE_BYTE = 4;
const HARMLESS_TOTAL = 64 * 2 ** 20;

/**
 * All tensors of a state dict. Those that are one tensor under several names (tied weights) share their data here, too.
 *
 * @param onTensor called after each tensor with the bytes of its elements
 * @throws TorchFileError TooLarge if many tensors are views of the same bytes; as {@link readTensor}
 */
export function* readTensors(
  checkpoint: Checkpoint,
  tensors: ReadonlyMap<string, TorchTensor>,
  onTensor: (bytes: number) => void = () => undefined,
): Reading<Map<string, StateTensor>> {
  const read = new Map<string, StateTensor>();
  const views = new Map<string, StateTensor>();
  const storages = new Map<object, number>();
  let left = BYTES_PER_FILE_BYTE * checkpoint.size + HARMLESS_TOTAL;
  for (const [name, tensor] of tensors) {
    const { storage, type, offset, shape, stride } = tensor;
    if (!storages.has(storage)) storages.set(storage, storages.size);
    const view = [storages.get(storage), type.dtype, offset, shape, stride].join(';');
    let state = views.get(view);
    if (state === undefined) {
      left -= tensor.byteLength;
      if (left < 0) {
        throw new TorchFileError(
          'TooLarge',
          `its ${tensors.size} tensors are views of the same bytes and would take far more memory than the file has. ` +
            'Read those you need one by one.',
        );
      }
      state = yield* readTensor(checkpoint, tensor, name);
      views.set(view, state);
    }
    read.set(name, state);
    onTensor(tensor.byteLength);
  }
  return read;
}
