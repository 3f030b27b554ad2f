/** Takes exact numbers of bytes out of a stream of chunks of any sizes, and keeps no more than the latest chunk. */
export class ChunkReader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #chunk: Uint8Array = new Uint8Array(0);
  #position = 0;

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** bytes taken so far */
  get position(): number {
    return this.#position;
  }

  /** The next `count` bytes, or fewer where the stream ends before. May be a view of the chunk: copy what is kept. */
  async take(count: number): Promise<Uint8Array> {
    if (!(await this.#fill())) return new Uint8Array(0);
    if (this.#chunk.byteLength >= count) return this.#advance(count);
    const parts: Uint8Array[] = [];
    let missing = count;
    while (missing > 0 && (await this.#fill())) {
      const part = this.#advance(Math.min(missing, this.#chunk.byteLength));
      parts.push(part);
      missing -= part.byteLength;
    }
    // Only as much memory as came: a size in a header is a claim.
    const bytes = new Uint8Array(count - missing);
    let position = 0;
    for (const part of parts) {
      bytes.set(part, position);
      position += part.byteLength;
    }
    return bytes;
  }

  /** Passes over `count` bytes. @returns how many there were */
  async skip(count: number): Promise<number> {
    let left = count;
    while (left > 0 && (await this.#fill())) left -= this.#advance(Math.min(left, this.#chunk.byteLength)).byteLength;
    return count - left;
  }

  /** Ends the stream. */
  async close(): Promise<void> {
    await this.#chunks.return?.();
  }

  async #fill(): Promise<boolean> {
    while (this.#chunk.byteLength === 0) {
      const next = await this.#chunks.next();
      if (next.done) return false;
      this.#chunk = next.value;
    }
    return true;
  }

  #advance(count: number): Uint8Array {
    const part = this.#chunk.subarray(0, count);
    this.#chunk = this.#chunk.subarray(count);
    this.#position += count;
    return part;
  }
}
