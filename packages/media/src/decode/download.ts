import { DecodeError, messageOf } from '../errors.ts';
import type { DecodeImageOptions } from './options.ts';

/** Options of loadImage. */
export interface LoadImageOptions extends DecodeImageOptions {
  /** Most bytes that a download takes. Default 256 MiB. */
  readonly maxBytes?: number | undefined;
}

const DEFAULT_MAX_BYTES = 2 ** 28;

/**
 * The body of a URL, into memory.
 *
 * @throws DecodeError IoError; TooLarge beyond `maxBytes`; the signal's reason
 */
export async function download(
  url: URL | string,
  { maxBytes = DEFAULT_MAX_BYTES, signal }: LoadImageOptions,
): Promise<Uint8Array> {
  const response = await attempt(url, signal, () => fetch(url, { signal: signal ?? null }));
  if (!response.ok) {
    await response.body?.cancel();
    throw new DecodeError('IoError', `${String(url)} answered with status ${response.status}.`);
  }
  const reader = response.body?.getReader();
  const parts: Uint8Array[] = [];
  let size = 0;
  try {
    for (;;) {
      const part = await attempt(url, signal, async () => await reader?.read());
      if (part === undefined || part.done) break;
      size += part.value.length;
      if (size > maxBytes) {
        throw new DecodeError('TooLarge', `${String(url)} sends more than the ${maxBytes} bytes allowed (maxBytes).`);
      }
      parts.push(part.value);
    }
  } finally {
    // After the last byte this does nothing.
    await reader?.cancel().catch(() => undefined);
  }
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

async function attempt<T>(url: URL | string, signal: AbortSignal | undefined, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (cause) {
    signal?.throwIfAborted();
    throw new DecodeError('IoError', `${String(url)} could not be fetched: ${messageOf(cause)}.`, { cause });
  }
}
