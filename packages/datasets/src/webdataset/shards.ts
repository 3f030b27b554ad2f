import { DatasetError } from '../errors.ts';
import { fileChunks } from '../files/chunks.ts';
import type { Files } from '../files/files.ts';
import { fetchChunks, type HttpShardOptions } from './fetchChunks.ts';

/** A tar file that can be read from its beginning, any number of times. */
export interface Shard {
  /** for messages and samples */
  readonly name: string;
  /** its bytes, as they come; leaving the loop ends reading */
  chunks(options: { readonly signal?: AbortSignal | undefined }): AsyncIterable<Uint8Array>;
}

/** A shard out of a Blob, a file of a user or bytes in memory. */
export function blobShard(name: string, content: Blob | Uint8Array): Shard {
  const blob = content instanceof Uint8Array ? undefined : content;
  return {
    name,
    async *chunks({ signal }) {
      signal?.throwIfAborted();
      if (blob === undefined) {
        yield content as Uint8Array;
        return;
      }
      for (let start = 0; start < blob.size; start += PART_BYTES) {
        yield new Uint8Array(await blob.slice(start, start + PART_BYTES).arrayBuffer());
        signal?.throwIfAborted();
      }
    },
  };
}

/** A shard below the root of a data set: a local file with `nodeFiles`. */
export function fileShard(files: Files, path: string): Shard {
  return { name: path, chunks: (options) => fileChunks(files, path, options) };
}

const PART_BYTES = 2 ** 20;

/**
 * A shard behind a URL. A connection that breaks is taken up again by a range request, if the server has a version mark (ETag)
 * for the file and says that it is still the same.
 *
 * @throws DatasetError `option` for something that is no http or https URL
 */
export function httpShard(url: string | URL, options: HttpShardOptions = {}): Shard {
  const target = URL.canParse(url) ? new URL(url) : undefined;
  if (target === undefined || !/^https?:$/.test(target.protocol)) {
    throw new DatasetError({
      code: 'option',
      argument: 'url',
      expected: 'an http or https URL',
      actual: JSON.stringify(String(url)),
    });
  }
  return { name: target.href, chunks: ({ signal }) => fetchChunks(target, options, signal) };
}
