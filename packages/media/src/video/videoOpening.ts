import type { EncodedPacketSink, Input, InputVideoTrack } from 'mediabunny';
import { DecodeError, messageOf } from '../errors.ts';
import { MAX_PIXELS } from '../image.ts';
import { colourSpaceOf } from './colour.ts';
import { ALWAYS, shownSpan } from './editList.ts';
import type { FrameSource } from './frameSource.ts';
import { frameTable } from './frameTable.ts';
import { loadMediabunny, type Mediabunny } from './mediabunny.ts';
import type { CheckedBytes } from './videoBytes.ts';
import { VideoFile } from './videoFile.ts';
import type { OpenVideoOptions } from './videoOptions.ts';
import { type Container, checkWhole } from './wholeFile.ts';

const DEFAULT_MAX_FRAMES = 2 ** 20;

/** What differs between Node and browsers. */
export interface VideoPlatform {
  /** Registers decoders that mediabunny does not have, or not right; called for each video. */
  prepare(mediabunny: Mediabunny): Promise<void>;
  canDecode(track: InputVideoTrack): Promise<boolean>;
  /** Frees what the input holds; called when the video is closed, or cannot be opened. */
  release(): Promise<void>;
}

/**
 * The common part of openVideo. It stands in a file of its own, so that the types of mediabunny, which may not be installed, are
 * not reached from those of this package.
 */
export async function openVideoBytes(
  file: CheckedBytes,
  options: OpenVideoOptions,
  platform: VideoPlatform,
): Promise<FrameSource> {
  const { release } = platform;
  const { maxFrames = DEFAULT_MAX_FRAMES, maxPixels = MAX_PIXELS, signal } = options;
  let input: Input | undefined;
  try {
    signal?.throwIfAborted();
    if (file.size === 0) throw new DecodeError('UnknownFormat', 'expected a video file, got no bytes.');
    const container = await checkWhole(file, signal);
    const mediabunny = await loadMediabunny();
    await platform.prepare(mediabunny);
    let failure: unknown;
    input = new mediabunny.Input({
      formats: [mediabunny.MP4, mediabunny.QTFF, mediabunny.WEBM, mediabunny.MATROSKA],
      source: sourceOf(mediabunny, file, (error) => {
        failure = error;
      }),
    });
    const track = await understood(
      () => trackOf(input as Input),
      () => failure,
      signal,
    );
    const table = await understood(
      () => describe(mediabunny, file, container, track, platform, { ...options, maxFrames, maxPixels }),
      () => failure,
      signal,
    );
    return new VideoFile({ mediabunny, input, track, ...table, options, fault: () => failure, release });
  } catch (error) {
    input?.dispose();
    await release();
    throw error;
  }
}

/** @param onFault gets what a read threw, as mediabunny may report it in other words or nowhere */
function sourceOf(mediabunny: Mediabunny, file: CheckedBytes, onFault: (error: unknown) => void) {
  return new mediabunny.CustomSource({
    getSize: () => file.size,
    read: async (start, end) => {
      try {
        return await file.read(start, end);
      } catch (error) {
        onFault(error);
        throw error;
      }
    },
    prefetchProfile: 'fileSystem',
    handleUnhandledError: onFault,
  });
}

/**
 * Runs something of mediabunny, whose errors say in no typed way what is wrong with a file.
 *
 * @throws DecodeError whatever our own code threw; or else Corrupt, with the error as its cause
 */
async function understood<T>(run: () => Promise<T>, fault: () => unknown, signal: AbortSignal | undefined): Promise<T> {
  try {
    const result = await run();
    signal?.throwIfAborted();
    return result;
  } catch (cause) {
    signal?.throwIfAborted();
    if (cause instanceof DecodeError) throw cause;
    const reading = fault();
    if (reading instanceof DecodeError) throw reading;
    throw new DecodeError('Corrupt', `the video file is damaged or cut off: ${messageOf(cause)}.`, { cause });
  }
}

async function trackOf(input: Input): Promise<InputVideoTrack> {
  if (!(await input.canRead())) {
    throw new DecodeError('UnknownFormat', 'the file is no video in MP4, QuickTime, WebM or Matroska.');
  }
  const track = await input.getPrimaryVideoTrack();
  if (track === null) throw new DecodeError('NoFrames', 'the file has no video track.');
  return track;
}

async function describe(
  mediabunny: Mediabunny,
  file: CheckedBytes,
  container: Container,
  track: InputVideoTrack,
  platform: VideoPlatform,
  options: OpenVideoOptions & { readonly maxFrames: number; readonly maxPixels: number },
) {
  const { signal, maxPixels, maxFrames, colourSpace, applyRotation = true } = options;
  const [codedWidth, codedHeight] = [await track.getCodedWidth(), await track.getCodedHeight()];
  if (codedWidth * codedHeight > maxPixels) {
    throw new DecodeError(
      'TooLarge',
      `the video says ${codedWidth} x ${codedHeight} pixels a frame, ${maxPixels} in all are allowed (maxPixels).`,
    );
  }
  const span = container === 'boxes' ? await shownSpan(file, track.id, signal) : ALWAYS;
  const sink: EncodedPacketSink = new mediabunny.EncodedPacketSink(track);
  const table = await frameTable(track, sink, span, maxFrames, signal);
  if (!(await platform.canDecode(track))) {
    const codec = (await track.getCodecParameterString()) ?? String(await track.getInternalCodecId());
    throw new DecodeError(
      'Unsupported',
      `nothing here decodes the video's codec, ${codec}. Encode it as H.264 or VP9.`,
    );
  }
  return {
    table,
    colours: colourSpaceOf(await track.getColorSpace(), colourSpace),
    rotation: applyRotation ? await track.getRotation() : 0,
    flip: applyRotation && (await track.getFlip()),
    codedWidth,
    codedHeight,
  };
}
