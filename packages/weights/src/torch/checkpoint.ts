import type { PickleValue } from '../pickle/values.ts';
import type { Reading } from '../source/reading.ts';
import { foreignFormat } from './foreignFormat.ts';
import { openLegacy, startsLegacy } from './legacyCheckpoint.ts';
import type { TorchStorage } from './objects.ts';
import { openZipCheckpoint } from './zipCheckpoint.ts';

/** A file of torch.save of which everything but the storages was read. */
export interface Checkpoint {
  /** 'zip' since PyTorch 1.6, 'legacy' before, and with `_use_new_zipfile_serialization=False`. */
  readonly container: 'zip' | 'legacy';
  /** What was saved. */
  readonly root: PickleValue;
  /** Bytes of the file. */
  readonly size: number;
  /** Whether a machine of the other byte order wrote the storages. */
  readonly bigEndian: boolean;
  /**
   * Position in the file of the first byte of a storage, after the container was asked whether it lies there.
   *
   * @throws ZipError, TorchFileError InvalidCheckpoint
   */
  locate(storage: TorchStorage): Reading<number>;
  /**
   * Reads the whole file and checks whatever can be checked, checksums above all. Yields nothing else than other
   * readings; `onBytes` hears how many bytes of the file were read since it was called last.
   */
  verify(onBytes: (bytes: number) => void): Reading<void>;
}

const ZIP_START = [0x50, 0x4b, 0x03, 0x04];
/** Enough to tell formats apart. */
const HEAD_BYTES = 512;

/**
 * Opens a file of torch.save of `size` bytes, of either form.
 *
 * @throws TorchFileError, PickleError, ZipError
 */
export function* openCheckpoint(size: number): Reading<Checkpoint> {
  const head = yield [0, Math.min(size, HEAD_BYTES)];
  if (ZIP_START.every((byte, i) => head[i] === byte)) return yield* openZipCheckpoint(size);
  if (startsLegacy(head)) return yield* openLegacy(size);
  throw foreignFormat(head);
}
