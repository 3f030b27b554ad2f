import type { EncodedPacket, VideoCodec } from 'mediabunny';
import type { Mediabunny } from './mediabunny.ts';

/** Packets that a decoder may have waiting; more of them make it no faster. */
const LONGEST_QUEUE = 8;

const registered = new WeakSet<Mediabunny>();

/**
 * Registers a decoder of VP8 by WebCodecs with mediabunny, once.
 *
 * mediabunny 1.61 gives the frames that come out of a browser's decoder the times of the packets that went in, one after the
 * other. Invisible frames of VP8 go in as packets and never come out, so that all later ones get wrong times. Here each frame
 * keeps the time of its own packet.
 */
export function registerVp8Decoder(mediabunny: Mediabunny): void {
  if (registered.has(mediabunny)) return;
  registered.add(mediabunny);

  class Vp8Decoder extends mediabunny.CustomVideoDecoder {
    static override supports(codec: VideoCodec): boolean {
      return codec === 'vp8' && 'VideoDecoder' in globalThis;
    }

    #decoder: VideoDecoder | undefined;

    init(): void {
      this.#decoder = new VideoDecoder({
        output: (frame) => this.onSample(new mediabunny.VideoSample(frame)),
        error: (error) => this.onError(error),
      });
      this.#decoder.configure(this.config);
    }

    async decode(packet: EncodedPacket): Promise<void> {
      const decoder = this.#decoder;
      // After an error, which was reported, the decoder is closed.
      if (decoder?.state !== 'configured') return;
      decoder.decode(packet.toEncodedVideoChunk());
      while (decoder.state === 'configured' && decoder.decodeQueueSize > LONGEST_QUEUE) {
        await new Promise((resolve) => decoder.addEventListener('dequeue', resolve, { once: true }));
      }
    }

    async flush(): Promise<void> {
      if (this.#decoder?.state !== 'configured') return;
      // mediabunny makes no further call, not even to close, once one has been rejected.
      await this.#decoder.flush().catch((error: unknown) => this.onError(error));
    }

    close(): void {
      if (this.#decoder !== undefined && this.#decoder.state !== 'closed') this.#decoder.close();
    }
  }

  mediabunny.registerDecoder(Vp8Decoder);
}
