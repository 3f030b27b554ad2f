import type { OnnxOpaqueDtype } from './onnx/onnxTypes.ts';
import type { OpaqueDtype } from './safetensors/storedTypes.ts';
import type { Dtype, StateTensor } from './stateTensor.ts';
import type { TorchOpaqueDtype } from './torch/torchTypes.ts';

/** The formats that can be read. */
export type WeightsFormat = 'safetensors' | 'torch' | 'npy' | 'npz' | 'tfjs' | 'onnx';

/** What a file says about one tensor before it is read. */
export interface TensorInfo {
  /** A {@link Dtype}, or the name of a type that no JavaScript array carries. */
  readonly dtype: Dtype | OpaqueDtype | TorchOpaqueDtype | OnnxOpaqueDtype;
  readonly shape: readonly number[];
  /** Bytes of all its elements: product(shape) times the bytes of one. */
  readonly byteLength: number;
}

/**
 * An opened file of named tensors, of any format. Nothing but the list of tensors was read; each is read when asked
 * for.
 */
export interface WeightsFile {
  readonly format: WeightsFormat;
  /** The notes of the file, as far as its format has such: empty otherwise. */
  readonly metadata: ReadonlyMap<string, string>;
  /** Names of all tensors, in the order of the file. */
  readonly names: readonly string[];
  has(name: string): boolean;
  /** @throws the error type of the format, with code TensorNotFound */
  info(name: string): TensorInfo;
  /** Reads one tensor. @throws the error type of the format; an abort of the source passes unchanged */
  get(name: string): Promise<StateTensor>;
  /** Reads the elements of a tensor of any dtype as little-endian bytes in row-major order. @throws as {@link get} */
  bytes(name: string): Promise<Uint8Array>;
  /** Reads all tensors, one after the other. @throws as {@link get}; the signal's reason if aborted */
  toStateDict(options?: ReadOptions): Promise<Map<string, StateTensor>>;
}

/** Options of reading much at once. */
export interface ReadOptions {
  readonly signal?: AbortSignal | undefined;
  /** Bytes that were read, of all. */
  readonly onProgress?: ((progress: { readonly done: number; readonly total: number }) => void) | undefined;
}

/** {@link WeightsFile.toStateDict} for formats in which tensors have nothing in common. */
export async function readAll(
  file: Omit<WeightsFile, 'toStateDict'>,
  { signal, onProgress }: ReadOptions = {},
): Promise<Map<string, StateTensor>> {
  const total = file.names.reduce((sum, name) => sum + file.info(name).byteLength, 0);
  const tensors = new Map<string, StateTensor>();
  let done = 0;
  for (const name of file.names) {
    signal?.throwIfAborted();
    tensors.set(name, await file.get(name));
    done += file.info(name).byteLength;
    onProgress?.({ done, total });
  }
  return tensors;
}
