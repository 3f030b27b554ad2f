import type { EncodedPacket, VideoCodec, VideoSamplePixelFormat } from 'mediabunny';
import type { CodecContext, Frame, Packet } from 'node-av/lib';
import { DecodeError } from '../../errors.ts';
import type { Mediabunny } from '../mediabunny.ts';
import { pixelFormats, planeSizes, tightPlanes } from './avFrame.ts';

/** node-av: FFmpeg's libraries, as far as they are used here. */
export interface Av {
  readonly lib: typeof import('node-av/lib');
  readonly constants: typeof import('node-av/constants');
}

/** Codecs that {@link registerAvDecoders} decodes, by mediabunny's names. */
export const AV_CODECS: readonly VideoCodec[] = ['avc', 'hevc', 'vp8', 'vp9', 'av1'];

const registered = new WeakSet<Mediabunny>();

/**
 * Registers FFmpeg's software decoders with mediabunny, which has none in Node, once, for whoever does not prefer hardware. They use
 * as many threads as there are processors.
 *
 * A frame that FFmpeg could only guess, because its bytes are damaged, is an error here.
 */
export function registerAvDecoders(mediabunny: Mediabunny, { lib, constants }: Av): void {
  if (registered.has(mediabunny)) return;
  registered.add(mediabunny);
  // What is wrong with a file is thrown, and need not be printed.
  lib.Log.setLevel(constants.AV_LOG_FATAL);
  const formats = pixelFormats(constants);
  const ids = new Map([
    ['avc', constants.AV_CODEC_ID_H264],
    ['hevc', constants.AV_CODEC_ID_HEVC],
    ['vp8', constants.AV_CODEC_ID_VP8],
    ['vp9', constants.AV_CODEC_ID_VP9],
    ['av1', constants.AV_CODEC_ID_AV1],
  ]);

  /** A frame in FFmpeg's memory. */
  class AvFrame extends mediabunny.VideoSampleResource {
    readonly frame: Frame;

    constructor(frame: Frame) {
      super();
      this.frame = frame;
    }

    getFormat(): VideoSamplePixelFormat | null {
      return formats.get(this.frame.format) ?? null;
    }

    getCodedWidth(): number {
      return this.frame.width;
    }

    getCodedHeight(): number {
      return this.frame.height;
    }

    getSquarePixelWidth(): number {
      return this.frame.width;
    }

    getSquarePixelHeight(): number {
      return this.frame.height;
    }

    getColorSpace() {
      return new mediabunny.VideoSampleColorSpace();
    }

    getDataPlanes() {
      return tightPlanes(this.frame, planeSizes(this.frame, this.getFormat()));
    }

    toRgbSample(): never {
      throw new DecodeError('Unsupported', 'frames are made RGB by framePixels only.');
    }

    close(): void {
      this.frame.free();
    }
  }

  /** mediabunny 1.61 cuts off the last column and row of colours where a side is odd, so planes are copied here. */
  class AvSample extends mediabunny.VideoSample {
    readonly #resource: AvFrame;

    constructor(resource: AvFrame, timestamp: number) {
      super(resource, { timestamp });
      this.#resource = resource;
    }

    override allocationSize(): number {
      const sizes = planeSizes(this.#resource.frame, this.#resource.getFormat());
      return sizes.reduce((sum, { stride, rows }) => sum + stride * rows, 0);
    }

    override async copyTo(destination: Uint8Array): Promise<PlaneLayout[]> {
      let offset = 0;
      return this.#resource.getDataPlanes().map(({ data, stride }) => {
        const at = offset;
        destination.set(data, at);
        offset += data.length;
        return { offset: at, stride };
      });
    }
  }

  class AvDecoder extends mediabunny.CustomVideoDecoder {
    static override supports(codec: VideoCodec, { hardwareAcceleration }: VideoDecoderConfig): boolean {
      return AV_CODECS.includes(codec) && hardwareAcceleration !== 'prefer-hardware';
    }

    #context: CodecContext | undefined;
    #packet: Packet | undefined;
    #frame: Frame | undefined;

    #failed = false;

    init(): Promise<void> {
      return this.#reporting(() => this.#open());
    }

    decode(packet: EncodedPacket): Promise<void> {
      return this.#reporting(() => this.#decode(packet));
    }

    flush(): Promise<void> {
      return this.#reporting(async () => {
        lib.FFmpegError.throwIfError(await this.#send(null), 'decoding the last frames');
        await this.#receiveAll();
        this.#context?.flushBuffers();
      });
    }

    close(): void {
      this.#context?.freeContext();
      this.#frame?.free();
      this.#packet?.free();
    }

    /** mediabunny makes no further call, not even to close, once one has been rejected: errors go another way. */
    async #reporting(action: () => Promise<void>): Promise<void> {
      if (this.#failed) return;
      try {
        await action();
      } catch (error) {
        this.#failed = true;
        this.onError(error);
      }
    }

    async #open(): Promise<void> {
      const codec = lib.Codec.findDecoder(ids.get(this.codec) ?? constants.AV_CODEC_ID_NONE);
      if (codec === null) throw new DecodeError('Unsupported', `this build of FFmpeg has no decoder of ${this.codec}.`);
      this.#packet = new lib.Packet();
      this.#packet.alloc();
      this.#frame = new lib.Frame();
      this.#frame.alloc();
      const context = new lib.CodecContext();
      context.allocContext3(codec);
      this.#context = context;
      const { codedWidth = 0, codedHeight = 0, description } = this.config;
      context.codecType = constants.AVMEDIA_TYPE_VIDEO;
      context.width = codedWidth;
      context.height = codedHeight;
      context.extraData = description === undefined ? null : bufferOf(description);
      context.threadCount = 0;
      // Frames are put in order as far as the stream's level allows, even where it does not say how far it needs.
      const strict = lib.Dictionary.fromObject({ strict: String(constants.FF_COMPLIANCE_STRICT) });
      lib.FFmpegError.throwIfError(await context.open2(codec, strict), 'opening the decoder');
    }

    async #decode({ data, type, microsecondTimestamp }: EncodedPacket): Promise<void> {
      const packet = this.#packet as Packet;
      packet.data = Buffer.from(data);
      packet.isKeyframe = type === 'key';
      packet.timeBase = { num: 1, den: 1e6 };
      packet.pts = BigInt(microsecondTimestamp);
      packet.dts = constants.AV_NOPTS_VALUE;
      try {
        let sent = await this.#send(packet);
        if (sent === constants.AVERROR_EAGAIN) {
          await this.#receiveAll();
          sent = await this.#send(packet);
        }
        lib.FFmpegError.throwIfError(sent, 'decoding');
      } finally {
        packet.unref();
      }
      // A packet makes a frame as a rule. Asking for a second one each time would cost a turn of a thread.
      await this.#receive();
    }

    async #send(packet: Packet | null): Promise<number> {
      return (await this.#context?.sendPacket(packet)) ?? constants.AVERROR_EOF;
    }

    async #receiveAll(): Promise<void> {
      while (await this.#receive());
    }

    /** Hands on a frame, if one is finished. */
    async #receive(): Promise<boolean> {
      const frame = this.#frame as Frame;
      const code = (await this.#context?.receiveFrame(frame)) ?? constants.AVERROR_EOF;
      if (code === constants.AVERROR_EAGAIN || code === constants.AVERROR_EOF) return false;
      lib.FFmpegError.throwIfError(code, 'decoding');
      if (frame.decodeErrorFlags !== 0) throw new Error('the bytes of a frame are damaged');
      const kept = frame.clone();
      if (kept === null) throw new Error('no memory is left for a frame');
      this.onSample(new AvSample(new AvFrame(kept), Number(frame.pts) / 1e6));
      return true;
    }
  }

  mediabunny.registerDecoder(AvDecoder);
}

function bufferOf(source: AllowSharedBufferSource): Buffer {
  return ArrayBuffer.isView(source)
    ? Buffer.from(source.buffer, source.byteOffset, source.byteLength)
    : Buffer.from(source);
}
