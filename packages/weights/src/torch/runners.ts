import type { ByteSource } from '../source/byteSource.ts';
import { type Reading, runOnBytes, runOnSource } from '../source/reading.ts';
import { asTorchFileError } from './errors.ts';

/** Runs a reading on the file in memory. @throws TorchFileError and nothing else */
export type SyncRunner = <T>(reading: Reading<T>) => T;
/** Runs a reading on a source. @throws TorchFileError; an abort unchanged */
export type AsyncRunner = <T>(reading: Reading<T>, signal?: AbortSignal) => Promise<T>;

export function runnerOnBytes(bytes: Uint8Array): SyncRunner {
  return (reading) => {
    try {
      return runOnBytes(reading, bytes);
    } catch (error) {
      throw asTorchFileError(error);
    }
  };
}

export function runnerOnSource(source: ByteSource): AsyncRunner {
  return async (reading, signal) => {
    try {
      return await runOnSource(reading, source, signal);
    } catch (error) {
      throw asTorchFileError(error);
    }
  };
}
