import type { Files } from './files.ts';

const CHUNK_BYTES = 2 ** 20;

/**
 * A file from its beginning to its end, in parts of 1 MiB; leaving the loop closes it.
 *
 * @throws DatasetError `missing`, `path`; the signal's reason
 */
export async function* fileChunks(
  files: Files,
  path: string,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  signal?.throwIfAborted();
  const file = await files.open(path);
  try {
    for (let start = 0; start < file.size; start += CHUNK_BYTES) {
      yield await file.read(start, Math.min(file.size, start + CHUNK_BYTES));
      signal?.throwIfAborted();
    }
  } finally {
    await file.close();
  }
}
