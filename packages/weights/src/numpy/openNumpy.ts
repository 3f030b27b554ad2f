import { type LazyContents, LazyWeights } from '../lazyWeights.ts';
import { type ByteSource, byteSource, readExactly, type SourceInput } from '../source/byteSource.ts';
import { runOnSource } from '../source/reading.ts';
import { rowMajor } from './elements.ts';
import { NumpyFileError, numpyFailure, withNumpyErrors } from './errors.ts';
import { readNpyHeader, startsNpy } from './header.ts';
import { readNpz } from './npz.ts';

/** NumPy's own name for an array that was given none. */
const ONLY_NAME = 'arr_0';

const ZIP_START = [0x50, 0x4b];

/**
 * Opens an array (`np.save`, .npy) or an archive of arrays (`np.savez`, `np.savez_compressed`, .npz) without reading their
 * elements. The only array of an .npy file is named `arr_0`; those of an archive are named as there, without `.npy`.
 *
 * Big-endian numbers and Fortran order come out little-endian and row-major. Objects, records, text and dates are never
 * read: in an archive they are listed under `ignored`, an .npy file of them is refused.
 *
 * @param source a Blob or File, bytes in memory, or any {@link ByteSource}: openUrl, spoolStream and, in Node, openFile
 *   make them
 * @throws NumpyFileError; an abort of the source unchanged
 * @example
 * const file = await openNumpy(await openFile('weights.npz'));
 * const { shape, data } = await file.get('head.weight');
 */
export async function openNumpy(source: SourceInput): Promise<LazyWeights> {
  return await withNumpyErrors(async () => {
    const bytes = byteSource(source);
    const head = await readExactly(bytes, 0, Math.min(bytes.size, 6));
    if (startsNpy(head)) return new LazyWeights(await readNpy(bytes));
    if (ZIP_START.every((byte, i) => head[i] === byte)) return new LazyWeights(await readNpz(bytes));
    throw new NumpyFileError(
      'NotNumpy',
      'these are not the first bytes of a file that np.save or np.savez wrote. openWeights tells formats apart.',
    );
  });
}

async function readNpy(source: ByteSource): Promise<LazyContents> {
  const header = await runOnSource(readNpyHeader(source.size), source);
  const { type, shape, dataStart, byteLength } = header;
  const read = () => withNumpyErrors(async () => rowMajor(await readExactly(source, dataStart, source.size), header));
  return {
    format: 'npy',
    metadata: new Map(),
    tensors: new Map([[ONLY_NAME, { dtype: type.dtype, shape, byteLength, read }]]),
    ignored: new Map(),
    limit: source.size,
    failure: numpyFailure,
  };
}
