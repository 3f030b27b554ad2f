import type { FetchFunction } from '@saccade/weights';
import { DatasetError } from '../errors.ts';

/** Options of `httpShard`. */
export interface HttpShardOptions {
  /** sent with every request, for example `{ authorization: 'Bearer ...' }` */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** in place of the global `fetch` */
  readonly fetch?: FetchFunction | undefined;
  /** how often a connection that breaks is taken up again where it broke; default 3 */
  readonly retries?: number | undefined;
}

/**
 * The bytes of a resource, taken up again where the connection breaks.
 *
 * @throws DatasetError `missing` if the server refuses, cannot be reached, or has another file by now; the signal's reason
 */
export async function* fetchChunks(
  url: URL,
  { headers, fetch = globalThis.fetch, retries = 3 }: HttpShardOptions,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  let [position, attempts] = [0, 0];
  let expected: { readonly etag: string | null; readonly size: number | undefined } | undefined;
  for (;;) {
    let body: ReadableStreamDefaultReader<Uint8Array> | undefined;
    try {
      const sent = new Headers(headers);
      if (position > 0) {
        sent.set('range', `bytes=${position}-`);
        if (expected?.etag) sent.set('if-range', expected.etag);
      }
      const response = await fetch(url.href, { headers: sent, ...(signal && { signal }) });
      body = response.body?.getReader();
      const found = checkedAnswer(url, response, position);
      expected ??= found;
      if (found.size !== expected.size || found.etag !== expected.etag) throw changed(url);
      for (;;) {
        const next = await body?.read();
        signal?.throwIfAborted();
        if (next === undefined || next.done) break;
        position += next.value.byteLength;
        attempts = 0;
        yield next.value;
      }
      if (expected.size !== undefined && position < expected.size) throw new Error('the connection ended early');
      return;
    } catch (cause) {
      signal?.throwIfAborted();
      if (cause instanceof DatasetError) throw cause;
      // Without a mark of its version, nobody knows whether the rest belongs to what came before.
      const again = position === 0 || (expected?.etag?.startsWith('"') ?? false);
      if (!again || attempts++ >= retries) throw unreachable(url, cause);
      await pauseBefore(attempts, signal);
    } finally {
      await body?.cancel().catch(() => undefined);
    }
  }
}

function checkedAnswer(url: URL, { status, headers }: Response, position: number) {
  const etag = headers.get('etag');
  if (position > 0) {
    if (status === 200) throw changed(url);
    const [, from, size] = /^bytes (\d+)-\d+\/(\d+)$/.exec(headers.get('content-range') ?? '') ?? [];
    if (status === 206 && Number(from) === position) return { etag, size: Number(size) };
  } else if (status === 200) {
    const length = headers.get('content-length');
    // Of a compressed answer, the length is that of what travels.
    const known = length !== null && (headers.get('content-encoding') ?? 'identity') === 'identity';
    return { etag, size: known ? Number(length) : undefined };
  }
  if (status >= 500 || status === 429) throw new Error(`the server answered ${status}`);
  throw new DatasetError({
    code: 'missing',
    argument: url.href,
    expected: position > 0 ? `its bytes from ${position} on` : 'a file',
    actual: `status ${status}`,
    hint: 'Check the address, and whether it needs a login.',
  });
}

function changed(url: URL): DatasetError {
  return new DatasetError({
    code: 'missing',
    argument: url.href,
    expected: 'the rest of the file that was begun',
    actual: 'another version of it, or a server that cannot send parts',
    hint: 'Start again, or download the shard first.',
  });
}

function unreachable(url: URL, cause: unknown): DatasetError {
  return new DatasetError({
    code: 'missing',
    argument: url.href,
    expected: 'a file that can be read to its end',
    actual: cause instanceof Error ? cause.message : String(cause),
    hint: 'Check the connection; in a browser, the server must allow this origin (CORS).',
    cause,
  });
}

/** 0.1, 0.2, 0.4, ... seconds */
async function pauseBefore(attempt: number, signal: AbortSignal | undefined): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, 50 * 2 ** attempt);
    signal?.addEventListener(
      'abort',
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
  });
  signal?.throwIfAborted();
}
