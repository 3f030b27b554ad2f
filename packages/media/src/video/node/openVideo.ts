import { type FileHandle, open } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { InputVideoTrack } from 'mediabunny';
import { DecodeError, messageOf } from '../../errors.ts';
import { missingPackage } from '../../optionalPackage.ts';
import type { FrameSource } from '../frameSource.ts';
import type { Mediabunny } from '../mediabunny.ts';
import { type VideoInput, videoBytes } from '../videoBytes.ts';
import { openVideoBytes } from '../videoOpening.ts';
import type { OpenVideoOptions } from '../videoOptions.ts';
import { AV_CODECS, registerAvDecoders } from './decoder.ts';

/** Options of openVideo in Node, which decodes in software. */
export type NodeVideoOptions = Omit<OpenVideoOptions, 'hardwareAcceleration'>;

/**
 * As openVideo of `@saccade/media`, and from a file by its path or `file:` URL, which is read in pieces.
 *
 * Needs `mediabunny` and, for the decoders, `node-av`. The latter comes with a build of FFmpeg under the GPL (version 3), which
 * is why this package does not depend on it: install it where that licence suits.
 *
 * @throws DecodeError as openVideo
 */
export async function openVideo(
  input: string | URL | VideoInput,
  options: NodeVideoOptions = {},
): Promise<FrameSource> {
  options.signal?.throwIfAborted();
  const { file, close } =
    typeof input === 'string' || input instanceof URL ? await openPath(input) : { file: input, close: async () => {} };
  return await openVideoBytes(videoBytes(file), options, { prepare, canDecode, release: close });
}

async function prepare(mediabunny: Mediabunny): Promise<void> {
  try {
    const av = { lib: await import('node-av/lib'), constants: await import('node-av/constants') };
    registerAvDecoders(mediabunny, av);
  } catch (cause) {
    throw missingPackage('reading videos in Node', ['node-av', 'mediabunny'], cause);
  }
}

async function canDecode(track: InputVideoTrack): Promise<boolean> {
  const codec = await track.getCodec();
  return codec !== null && AV_CODECS.includes(codec) && (await track.getDecoderConfig()) !== null;
}

async function openPath(path: string | URL): Promise<{ file: VideoInput; close: () => Promise<void> }> {
  let handle: FileHandle | undefined;
  try {
    const file = await open(path instanceof URL ? fileURLToPath(path) : path);
    handle = file;
    const { size } = await handle.stat();
    const read = async (start: number, end: number) => {
      const bytes = new Uint8Array(end - start);
      let filled = 0;
      while (filled < bytes.length) {
        const { bytesRead } = await file.read(bytes, filled, bytes.length - filled, start + filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      return bytes.subarray(0, filled);
    };
    return { file: { size, read }, close: () => file.close() };
  } catch (cause) {
    await handle?.close();
    throw new DecodeError('IoError', `${String(path)} could not be opened: ${messageOf(cause)}. Check the path.`, {
      cause,
    });
  }
}
