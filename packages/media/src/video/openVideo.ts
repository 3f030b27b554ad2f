import type { FrameSource } from './frameSource.ts';
import { type VideoInput, videoBytes } from './videoBytes.ts';
import { openVideoBytes } from './videoOpening.ts';
import type { OpenVideoOptions } from './videoOptions.ts';
import { registerVp8Decoder } from './vp8Decoder.ts';

/**
 * Opens a video as a list of frames: MP4, QuickTime, WebM and Matroska with H.264, H.265, VP8, VP9 or AV1, as far as the
 * platform decodes them. Needs the package `mediabunny`; in Node import it from `@saccade/media/node`.
 *
 * Frames are numbered in presentation order, from the container's own table: frame i is the i-th that a player shows,
 * whatever the order in which frames are stored, how long each is on show, and where an edit list begins. Every frame that
 * comes out is held against that table.
 *
 * @throws DecodeError UnknownFormat, Unsupported, NoFrames, Truncated, Corrupt, TooLarge, MissingPackage, IoError,
 *   InvalidArgument; the signal's reason
 * @example
 * await using video = await openVideo(file);
 * const { data, shape } = await readClip(video, segmentFrames(video.frameCount, { segments: 8 })); // [8, H, W, 3]
 */
export async function openVideo(input: VideoInput, options: OpenVideoOptions = {}): Promise<FrameSource> {
  const { hardwareAcceleration = 'prefer-software' } = options;
  return await openVideoBytes(videoBytes(input), options, {
    prepare: async (mediabunny) => registerVp8Decoder(mediabunny),
    async canDecode(track) {
      const config = await track.getDecoderConfig();
      if (config === null || !('VideoDecoder' in globalThis)) return false;
      return (await VideoDecoder.isConfigSupported({ ...config, hardwareAcceleration })).supported === true;
    },
    release: async () => undefined,
  });
}
