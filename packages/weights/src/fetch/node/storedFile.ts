import type { ByteSource } from '../../source/byteSource.ts';
import { SourceError } from '../../source/errors.ts';
import { openFile } from '../../source/openFile.ts';

/**
 * A file of the cache. It is opened for each read, so that nothing has to be closed; `openFile(path)` keeps it open,
 * which is faster for very many small reads.
 */
export class StoredFile implements ByteSource {
  readonly path: string;
  readonly size: number;

  constructor(path: string, size: number) {
    this.path = path;
    this.size = size;
  }

  /** @throws SourceError IoError if it was removed in the meantime, Changed if it is another file, as openFile otherwise */
  async read(start: number, end: number): Promise<Uint8Array> {
    const file = await openFile(this.path);
    try {
      if (file.size !== this.size) {
        throw new SourceError('Changed', `${this.path} has ${file.size} bytes, it had ${this.size}. Fetch it again.`);
      }
      return await file.read(start, end);
    } finally {
      await file.close();
    }
  }
}
