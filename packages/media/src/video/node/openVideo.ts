import { open } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { DecodeError, messageOf } from '../../errors.ts';
import { missingPackage } from '../../optionalPackage.ts';
import type { FrameSource } from '../frameSource.ts';
import { type OpenVideoOptions, openVideoBytes } from '../openVideo.ts';
import { type VideoBytes, type VideoInput, videoBytes } from '../videoBytes.ts';

/**
 * As openVideo of `@saccade/media`, and from a file by its path or `file:` URL, which is read in pieces.
 *
 * Needs `mediabunny` and, for the decoders, `@mediabunny/server`. The latter downloads a build of FFmpeg under the GPL
 * (version 3), which is why this package does not depend on it: install it where that licence suits.
 *
 * @throws DecodeError as openVideo
 */
export async function openVideo(
  input: string | URL | VideoInput,
  options: OpenVideoOptions = {},
): Promise<FrameSource> {
  options.signal?.throwIfAborted();
  await registerDecoders();
  if (typeof input !== 'string' && !(input instanceof URL)) {
    return await openVideoBytes(videoBytes(input), options, async () => undefined);
  }
  const { file, close } = await openPath(input);
  return await openVideoBytes(videoBytes(file), options, close);
}

/** mediabunny keeps decoders in a list of its own; registering them again does nothing. */
async function registerDecoders(): Promise<void> {
  let server: typeof import('@mediabunny/server');
  try {
    server = await import('@mediabunny/server');
  } catch (cause) {
    throw missingPackage('reading videos in Node', ['@mediabunny/server', 'mediabunny'], cause);
  }
  server.registerMediabunnyServer();
}

async function openPath(path: string | URL): Promise<{ file: VideoBytes; close: () => Promise<void> }> {
  try {
    const handle = await open(path instanceof URL ? fileURLToPath(path) : path);
    const { size } = await handle.stat();
    const read = async (start: number, end: number) => {
      const bytes = new Uint8Array(end - start);
      let filled = 0;
      while (filled < bytes.length) {
        const { bytesRead } = await handle.read(bytes, filled, bytes.length - filled, start + filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      return bytes.subarray(0, filled);
    };
    return { file: { size, read }, close: () => handle.close() };
  } catch (cause) {
    throw new DecodeError('IoError', `${String(path)} could not be opened: ${messageOf(cause)}. Check the path.`, {
      cause,
    });
  }
}
