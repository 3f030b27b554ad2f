import type { PickleValue } from '../pickle/values.ts';
import { type ByteSource, byteSource, isBytes, plainBytes, type SourceInput } from '../source/byteSource.ts';
import type { StateTensor } from '../stateTensor.ts';
import type { ReadOptions } from '../weightsFile.ts';
import { type Checkpoint, openCheckpoint } from './checkpoint.ts';
import { asTorchFileError, TorchFileError } from './errors.ts';
import type { TorchTensor } from './objects.ts';
import { readTensor } from './readTensor.ts';
import { type AsyncRunner, runnerOnBytes, runnerOnSource, type SyncRunner } from './runners.ts';
import { type StateOptions, selectState } from './selectState.ts';
import { LazyTorchStateDict, TorchStateDict } from './stateDict.ts';

/** A file of torch.save in memory. */
export class TorchCheckpoint {
  readonly #checkpoint: Checkpoint;
  readonly #run: SyncRunner;

  constructor(checkpoint: Checkpoint, run: SyncRunner) {
    this.#checkpoint = checkpoint;
    this.#run = run;
  }

  /** What was saved, as plain values (see {@link PickleValue}); tensors are instances of TorchTensor, not read yet. */
  get root(): PickleValue {
    return this.#checkpoint.root;
  }

  /** 'zip' since PyTorch 1.6, 'legacy' before. */
  get container(): 'zip' | 'legacy' {
    return this.#checkpoint.container;
  }

  /**
   * The named tensors of a checkpoint, found and named as {@link StateOptions} says.
   *
   * @throws TorchFileError NoStateDict, InvalidArgument
   */
  stateDict(options?: StateOptions): TorchStateDict {
    return new TorchStateDict(this.#checkpoint, selectState(this.root, options), this.#run);
  }

  /** Reads a tensor found in {@link root}. @throws as {@link TorchStateDict.get} */
  read(tensor: TorchTensor): StateTensor {
    return this.#run(readTensor(this.#checkpoint, tensor, 'tensor'));
  }

  /** Reads everything and compares the checksums of a zip file; legacy files have none. @throws TorchFileError */
  verify(): void {
    this.#run(this.#checkpoint.verify(() => undefined));
  }
}

/** A file of torch.save of which only the pickle was read. */
export class LazyTorchCheckpoint {
  readonly #checkpoint: Checkpoint;
  readonly #run: AsyncRunner;

  constructor(checkpoint: Checkpoint, run: AsyncRunner) {
    this.#checkpoint = checkpoint;
    this.#run = run;
  }

  /** As {@link TorchCheckpoint.root}. */
  get root(): PickleValue {
    return this.#checkpoint.root;
  }

  /** As {@link TorchCheckpoint.container}. */
  get container(): 'zip' | 'legacy' {
    return this.#checkpoint.container;
  }

  /** As {@link TorchCheckpoint.stateDict}; its tensors are read when asked for. */
  stateDict(options?: StateOptions): LazyTorchStateDict {
    return new LazyTorchStateDict(this.#checkpoint, selectState(this.root, options), this.#run);
  }

  /** Reads a tensor found in {@link root}. @throws as {@link LazyTorchStateDict.get} */
  async read(tensor: TorchTensor): Promise<StateTensor> {
    return await this.#run(readTensor(this.#checkpoint, tensor, 'tensor'));
  }

  /** As {@link TorchCheckpoint.verify}; also throws the signal's reason. */
  async verify({ signal, onProgress }: ReadOptions = {}): Promise<void> {
    const total = this.#checkpoint.size;
    let done = 0;
    const reading = this.#checkpoint.verify((bytes) => {
      done += bytes;
      onProgress?.({ done, total });
    });
    await this.#run(reading, signal);
  }
}

/**
 * Opens a file of torch.save (.pth, .pt, .bin) that is in memory.
 *
 * Its pickle is carried out by an interpreter that can build tensors, containers and numbers and nothing else: no code
 * of the file runs, and there is no option that lets it. Time and memory are bounded by the size of the file.
 *
 * @throws TorchFileError; its `code` says what is wrong
 * @example
 * const file = parseTorch(await readFile('uniformer_small.pth'));
 * const weights = file.stateDict().toStateDict();
 */
export function parseTorch(bytes: ArrayBuffer | Uint8Array): TorchCheckpoint {
  if (!isBytes(bytes)) {
    throw new TorchFileError(
      'InvalidArgument',
      `expected the file as an ArrayBuffer or Uint8Array, got ${bytes === null ? 'null' : typeof bytes}. ` +
        'Read it first (`await file.arrayBuffer()`, `await readFile(path)`), or use openTorch for a Blob.',
    );
  }
  const file = plainBytes(bytes);
  const run = runnerOnBytes(file);
  return new TorchCheckpoint(run(openCheckpoint(file.byteLength)), run);
}

/**
 * Opens a file of torch.save without reading its tensors: the directory and the pickle of a zip file, the pickles of a
 * legacy one. Files of any size work as long as each tensor fits into memory.
 *
 * @param source a Blob or File, bytes in memory, or any {@link ByteSource}: openUrl, spoolStream and, in Node, openFile
 *   make them
 * @throws TorchFileError as {@link parseTorch}, and IoError if the source fails; an abort of the source unchanged
 */
export async function openTorch(source: SourceInput): Promise<LazyTorchCheckpoint> {
  let bytes: ByteSource;
  try {
    bytes = byteSource(source);
  } catch (error) {
    throw asTorchFileError(error);
  }
  const run = runnerOnSource(bytes);
  return new LazyTorchCheckpoint(await run(openCheckpoint(bytes.size)), run);
}
