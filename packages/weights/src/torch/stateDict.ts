import { nearNames } from '../safetensors/nearNames.ts';
import type { StateTensor } from '../stateTensor.ts';
import { quote } from '../weightsError.ts';
import type { ReadOptions, TensorInfo, WeightsFile } from '../weightsFile.ts';
import type { Checkpoint } from './checkpoint.ts';
import { TorchFileError } from './errors.ts';
import type { TorchTensor } from './objects.ts';
import { readElements, readTensor, readTensors } from './readTensor.ts';
import type { AsyncRunner, SyncRunner } from './runners.ts';
import type { SelectedState } from './selectState.ts';

/** What a state dict says about one of its tensors. */
export interface TorchTensorInfo extends TensorInfo {
  /** Distance in the storage of neighbours along each axis, in elements. */
  readonly stride: readonly number[];
  /** The storage it is a view of. Tensors that share one share memory in PyTorch. */
  readonly storageKey: string;
}

/** The tensors of a checkpoint by name: what files in memory and lazily read ones have in common. */
abstract class TorchListing {
  readonly format = 'torch';
  /** The keys in the checkpoint that led to these tensors; empty if they lie outermost. */
  readonly path: readonly string[];
  /** Names of all tensors, in the order of the checkpoint. */
  readonly names: readonly string[];
  /** Names in the state dict that are no tensors, and are not read. */
  readonly ignored: readonly string[];
  /** Plain values beside the state dict, as text: `epoch`, `arch`, ... */
  readonly metadata: ReadonlyMap<string, string>;
  protected readonly tensors: ReadonlyMap<string, TorchTensor>;
  protected readonly checkpoint: Checkpoint;

  constructor(checkpoint: Checkpoint, { path, tensors, ignored, notes }: SelectedState) {
    this.checkpoint = checkpoint;
    this.path = path;
    this.tensors = tensors;
    this.names = Object.freeze([...tensors.keys()]);
    this.ignored = ignored;
    this.metadata = notes;
  }

  has(name: string): boolean {
    return this.tensors.has(name);
  }

  /** @throws TorchFileError TensorNotFound */
  info(name: string): TorchTensorInfo {
    const { type, shape, byteLength, stride, storage } = this.tensor(name);
    return { dtype: type.dtype, shape, byteLength, stride, storageKey: storage.key };
  }

  protected tensor(name: string): TorchTensor {
    const tensor = this.tensors.get(name);
    if (tensor !== undefined) return tensor;
    const near = nearNames(name, this.names);
    const hint = near.length > 0 ? `Did you mean ${near.map(quote).join(' or ')}?` : 'The property `names` lists them.';
    throw new TorchFileError(
      'TensorNotFound',
      `no tensor ${quote(name)} among the ${this.names.length} in this state dict. ${hint}`,
      { nearNames: near },
    );
  }
}

/**
 * The state dict of a checkpoint in memory. Contiguous tensors are views of the file's bytes where their type and place
 * allow: copy (`data.slice()`) before writing.
 */
export class TorchStateDict extends TorchListing {
  readonly #run: SyncRunner;

  constructor(checkpoint: Checkpoint, selected: SelectedState, run: SyncRunner) {
    super(checkpoint, selected);
    this.#run = run;
  }

  /**
   * One tensor, row-major, whatever its strides in the file are.
   *
   * @throws TorchFileError TensorNotFound, UnsupportedDtype, UnsupportedTensor, TooLarge, HeaderMismatch,
   *   InvalidCheckpoint
   */
  get(name: string): StateTensor {
    return this.#run(readTensor(this.checkpoint, this.tensor(name), name));
  }

  /** The elements of a tensor of any dtype as little-endian bytes, row-major. @throws as {@link get} */
  bytes(name: string): Uint8Array {
    return this.#run(readElements(this.checkpoint, this.tensor(name), name));
  }

  /** All tensors by name; tied ones share their data. @throws as {@link get} */
  toStateDict(): Map<string, StateTensor> {
    return this.#run(readTensors(this.checkpoint, this.tensors));
  }
}

/** The state dict of a checkpoint that is read in pieces. Every call reads anew. */
export class LazyTorchStateDict extends TorchListing implements WeightsFile {
  readonly #run: AsyncRunner;

  constructor(checkpoint: Checkpoint, selected: SelectedState, run: AsyncRunner) {
    super(checkpoint, selected);
    this.#run = run;
  }

  /** As {@link TorchStateDict.get}; also TorchFileError IoError if the source fails. */
  async get(name: string): Promise<StateTensor> {
    return await this.#run(readTensor(this.checkpoint, this.tensor(name), name));
  }

  /** As {@link TorchStateDict.bytes}; also TorchFileError IoError if the source fails. */
  async bytes(name: string): Promise<Uint8Array> {
    return await this.#run(readElements(this.checkpoint, this.tensor(name), name));
  }

  /**
   * All tensors by name, read one after the other; tied ones share their data. @throws as {@link get}; the signal's
   * reason
   */
  async toStateDict({ signal, onProgress }: ReadOptions = {}): Promise<Map<string, StateTensor>> {
    const total = [...this.tensors.values()].reduce((sum, tensor) => sum + tensor.byteLength, 0);
    let done = 0;
    const reading = readTensors(this.checkpoint, this.tensors, (bytes) => {
      done += bytes;
      onProgress?.({ done, total });
    });
    return await this.#run(reading, signal);
  }
}
