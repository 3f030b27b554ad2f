// What the tests of memory run inside the browser: WebCodecs with counters.
import { openVideo } from '../openVideo.ts';

let opened = 0;
const decoders = new Set<VideoDecoder>();
const frames = new Set<VideoFrame>();

globalThis.VideoDecoder = class extends VideoDecoder {
  constructor(init: VideoDecoderInit) {
    super({
      error: init.error,
      output(frame) {
        frames.add(frame);
        init.output(frame);
      },
    });
    opened++;
    decoders.add(this);
  }
};

/** How many decoders were made, and how many of them and of their frames are open half a second after reading. */
export async function counted(
  file: Uint8Array,
  how: 'read' | 'leave' | 'abort' | 'close',
): Promise<{ opened: number; decoders: number; frames: number }> {
  opened = 0;
  decoders.clear();
  frames.clear();
  const video = await openVideo(file);
  const controller = new AbortController();
  try {
    for await (const _ of video.frames([3, 5, 30, 39], { signal: controller.signal })) {
      if (how === 'leave') break;
      if (how === 'abort') controller.abort(new Error('enough'));
      if (how === 'close') await video.close();
    }
  } catch (error) {
    if (how !== 'abort' && how !== 'close') throw error;
  }
  await video.close();
  await new Promise((resolve) => setTimeout(resolve, 500));
  const open = {
    decoders: [...decoders].filter(({ state }) => state !== 'closed').length,
    // A closed frame has no format.
    frames: [...frames].filter(({ format }) => format !== null).length,
  };
  return { opened, ...open };
}
