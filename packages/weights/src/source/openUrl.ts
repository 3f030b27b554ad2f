import { type ByteSource, byteSource } from './byteSource.ts';
import { SourceError } from './errors.ts';
import {
  bodyOf,
  contentRangeOf,
  type FetchFunction,
  refusal,
  request,
  type Validator,
  validatorOf,
} from './httpRange.ts';
import { DEFAULT_MAX_SPOOL_BYTES, type SpoolOptions, spoolStream } from './spool.ts';

/** Options of {@link openUrl}. */
export interface OpenUrlOptions {
  /** Sent with every request, for example `{ authorization: 'Bearer ...' }`. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** What to call in place of the global `fetch`: for proxies, retries, tests. */
  readonly fetch?: FetchFunction | undefined;
  /** Ends opening and every later read. */
  readonly signal?: AbortSignal | undefined;
  /**
   * What to do when the server sends whole files only: `'refuse'` (default) throws RangesNotSupported, `'download'`
   * takes the whole file into memory, up to `maxBytes`.
   */
  readonly withoutRanges?: 'refuse' | 'download' | undefined;
  /** The most bytes that `withoutRanges: 'download'` takes. Default 2 GiB. */
  readonly maxBytes?: number | undefined;
  /** Bytes so far, while a whole file is downloaded. */
  readonly onProgress?: SpoolOptions['onProgress'];
}

/** The first request asks for this much. Most of it is header, which is read next anyhow. */
const HEAD_BYTES = 2 ** 16;

/**
 * A file behind a URL, read by HTTP range requests: one small request to open it, one for each piece that is read.
 *
 * Every answer is held against the first: another size, ETag or modification date is the error Changed, so that pieces
 * of two versions are never put together. Redirects are followed anew for each piece, which renews links that expire.
 * A server of another origin must expose the headers Content-Range and ETag to a browser
 * (Access-Control-Expose-Headers), as the model hubs do.
 *
 * @throws SourceError HttpStatus, RangesNotSupported, UnusableResponse, IoError, InvalidArgument; TooLarge with
 *   `withoutRanges: 'download'`; the signal's reason if aborted. Reads throw the same, and Changed.
 * @example
 * const file = await openSafetensors(await openUrl('https://host.example/model.safetensors'));
 */
export async function openUrl(url: string | URL, options: OpenUrlOptions = {}): Promise<ByteSource> {
  const target = checkedUrl(url);
  const { withoutRanges = 'refuse', maxBytes = DEFAULT_MAX_SPOOL_BYTES, signal, onProgress } = options;
  const first = await request(target, [0, HEAD_BYTES], options);
  if (first.status === 200) {
    if (withoutRanges === 'download' && first.body !== null) {
      return await spoolStream(first.body, { maxBytes, signal, onProgress });
    }
    throw await refusal(
      first,
      'RangesNotSupported',
      `${target.href} answered a request for ${HEAD_BYTES} bytes with the whole file. Download it first ` +
        "(fetchWeights), or pass { withoutRanges: 'download' } to take it into memory.",
    );
  }
  // An empty file has no byte 0: RFC 9110 has the server say 416 and "bytes */0".
  if (first.status === 416 && first.headers.get('content-range')?.trim() === 'bytes */0') {
    await first.body?.cancel();
    return byteSource(new Uint8Array(0));
  }
  const { size, end } = await contentRangeOf(first, 0, HEAD_BYTES);
  const validator = validatorOf(first);
  const head = await bodyOf(first, end, signal);
  return new UrlSource(target, options, size, head, validator);
}

class UrlSource implements ByteSource {
  readonly size: number;
  readonly #url: URL;
  readonly #options: OpenUrlOptions;
  readonly #head: Uint8Array;
  readonly #validator: Validator;

  constructor(url: URL, options: OpenUrlOptions, size: number, head: Uint8Array, validator: Validator) {
    this.#url = url;
    this.#options = options;
    this.size = size;
    this.#head = head;
    this.#validator = validator;
  }

  async read(start: number, end: number): Promise<Uint8Array> {
    const { signal } = this.#options;
    signal?.throwIfAborted();
    if (end <= this.#head.byteLength) return this.#head.slice(start, end);
    if (end > this.size || start >= end) {
      if (start === end) return new Uint8Array(0);
      throw new SourceError('OutOfBounds', `bytes ${start} to ${end} of ${this.size} were asked for.`);
    }
    const response = await request(this.#url, [start, end], this.#options, this.#validator);
    if (response.status === 200 || response.status === 416) {
      throw await refusal(response, 'Changed', this.#changed(`status ${response.status} in place of a part`));
    }
    const range = await contentRangeOf(response, start, end);
    const { etag, lastModified } = validatorOf(response);
    const change =
      range.size !== this.size
        ? `size ${range.size}, was ${this.size}`
        : etag !== this.#validator.etag
          ? `ETag ${etag}, was ${this.#validator.etag}`
          : lastModified !== this.#validator.lastModified
            ? `modified ${lastModified}, was ${this.#validator.lastModified}`
            : undefined;
    if (change !== undefined) throw await refusal(response, 'Changed', this.#changed(change));
    if (range.end !== end) {
      throw await refusal(
        response,
        'UnusableResponse',
        `${this.#url.href} sent bytes ${start} to ${range.end} of the ${start} to ${end} asked for. Try again later.`,
      );
    }
    return await bodyOf(response, end - start, signal);
  }

  #changed(evidence: string): string {
    return `${this.#url.href} is no longer the file that was opened (${evidence}). Open it again.`;
  }
}

function checkedUrl(url: string | URL): URL {
  let parsed: URL;
  try {
    parsed = new URL(url, globalThis.location?.href);
  } catch (cause) {
    throw new SourceError('InvalidArgument', `${JSON.stringify(String(url))} is not a URL.`, { cause });
  }
  if (parsed.protocol !== 'http:' && parsed.protocol !== 'https:') {
    throw new SourceError('InvalidArgument', `expected a URL of http or https, got ${parsed.protocol}//.`);
  }
  return parsed;
}
