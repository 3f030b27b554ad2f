import { isAbort, messageOf, SourceError, type SourceErrorCode } from './errors.ts';
import { chunksOf } from './spool.ts';

/** The part of the global `fetch` that is used here. */
export type FetchFunction = (url: string, init: RequestInit) => Promise<Response>;

/** What identifies a version of a resource, as far as its server says. */
export interface Validator {
  readonly etag: string | null;
  readonly lastModified: string | null;
}

export function validatorOf({ headers }: Response): Validator {
  return { etag: headers.get('etag'), lastModified: headers.get('last-modified') };
}

/**
 * Asks for bytes `[start, end)`. Answers with status 200, 206 and 416 are returned, others thrown.
 *
 * @throws SourceError HttpStatus, IoError; UnusableResponse for a compressed answer; the signal's reason if aborted
 */
export async function request(
  url: URL,
  [start, end]: readonly [number, number],
  { headers, fetch = globalThis.fetch, signal }: RequestOptions,
  validator?: Validator,
): Promise<Response> {
  signal?.throwIfAborted();
  const sent = new Headers(headers);
  sent.set('range', `bytes=${start}-${end - 1}`);
  // Parts of a compressed file are of no use. Browsers send this header by themselves and ignore ours.
  sent.set('accept-encoding', 'identity');
  const condition = ifRange(url, validator);
  if (condition !== undefined) sent.set('if-range', condition);
  let response: Response;
  try {
    response = await fetch(url.href, { headers: sent, ...(signal && { signal }) });
  } catch (cause) {
    if (signal?.aborted) throw signal.reason;
    if (isAbort(cause)) throw cause;
    throw new SourceError(
      'IoError',
      `${url.href} could not be reached: ${messageOf(cause)}. Check the address and the connection; in a browser, the ` +
        'server must also allow this origin (CORS).',
      { cause },
    );
  }
  const { status } = response;
  if (status !== 200 && status !== 206 && status !== 416) {
    await response.body?.cancel();
    throw new SourceError('HttpStatus', `${url.href} answered ${status} ${response.statusText}. ${advice(status)}`, {
      status,
    });
  }
  const encoding = response.headers.get('content-encoding') ?? 'identity';
  if (encoding !== 'identity') {
    throw await refusal(
      response,
      'UnusableResponse',
      `${url.href} sent the file with Content-Encoding ${encoding}, of which parts cannot be read. Download it first.`,
    );
  }
  return response;
}

export interface RequestOptions {
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly fetch?: FetchFunction | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The condition under which the server may send a part. Only a strong ETag makes one; and a browser would ask another
 * origin for leave to send it, which most servers do not give. There the comparison with the answer has to do.
 */
function ifRange(url: URL, validator: Validator | undefined): string | undefined {
  const origin = globalThis.location?.origin;
  if (origin !== undefined && origin !== url.origin) return undefined;
  return validator?.etag?.startsWith('"') ? validator.etag : undefined;
}

function advice(status: number): string {
  if (status === 401 || status === 403) return 'Pass { headers: { authorization } } if the file needs a login.';
  if (status === 404 || status === 410) return 'Check the address.';
  return status === 429 || status >= 500 ? 'Try again later.' : 'Open the address in a browser to see why.';
}

/**
 * Start, end (exclusive) and total size of a partial answer to a request for `[start, end)`.
 *
 * @throws SourceError UnusableResponse
 */
export async function contentRangeOf(
  response: Response,
  start: number,
  end: number,
): Promise<{ size: number; end: number }> {
  const header = response.headers.get('content-range');
  const [, from, to, total] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(header?.trim() ?? '') ?? [];
  const range = { size: Number(total), end: Number(to) + 1 };
  const usable =
    response.status === 206 &&
    Number(from) === start &&
    range.end > start &&
    range.end <= Math.min(end, range.size) &&
    Number.isSafeInteger(range.size);
  if (usable) return range;
  throw await refusal(
    response,
    'UnusableResponse',
    `bytes ${start} to ${end} were asked for, the answer has status ${response.status} and ` +
      (header === null
        ? 'no Content-Range that can be seen here. In a browser, a server of another origin must expose it: ' +
          'Access-Control-Expose-Headers: Content-Range, ETag.'
        : `Content-Range ${JSON.stringify(header)}. The server does not honour ranges rightly; download the file first.`),
  );
}

/**
 * The whole body, which must have `length` bytes: reading stops at the first byte too many.
 *
 * @throws SourceError UnusableResponse, IoError; the signal's reason if aborted
 */
export async function bodyOf(response: Response, length: number, signal: AbortSignal | undefined): Promise<Uint8Array> {
  const bytes = allocate(length);
  let filled = 0;
  if (response.body !== null) {
    for await (const chunk of chunksOf(response.body, signal)) {
      if (filled + chunk.byteLength > length) {
        throw new SourceError('UnusableResponse', `the server sent more than the ${length} bytes it announced.`);
      }
      bytes.set(chunk, filled);
      filled += chunk.byteLength;
    }
  }
  if (filled !== length) {
    throw new SourceError('IoError', `the connection ended after ${filled} of ${length} bytes. Try again.`);
  }
  return bytes;
}

function allocate(length: number): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(length);
  } catch (cause) {
    throw new SourceError('TooLarge', `one read of ${length} bytes does not fit into memory; read smaller parts.`, {
      cause,
    });
  }
}

/** An error about a response whose body nobody wants: the connection is freed before it is thrown. */
export async function refusal(response: Response, code: SourceErrorCode, message: string): Promise<SourceError> {
  await response.body?.cancel();
  return new SourceError(code, message);
}
