import { DecodeError, readClip, segmentFrames } from '@saccade/media';
import { openVideo } from '@saccade/media/node';
import type { Absent, Comparison, Contender } from '../../core/comparison.ts';
import type { CheckResult } from '../../core/row.ts';
import { preparing } from '../../external/prepared.ts';
import { workFolder } from '../../external/workFolder.node.ts';
import { type Ffmpeg, findFfmpeg } from './ffmpeg.node.ts';

/** A clip, and how many of its frames are wanted. */
export interface VideoTask {
  readonly name: string;
  readonly width: number;
  readonly height: number;
  /** frames in the clip, 30 a second */
  readonly frames: number;
  /** frames from one that stands alone to the next; x264 takes 250 by itself */
  readonly keyFrames: number;
  /** frames that are read, spread evenly */
  readonly wanted: number;
}

/**
 * By how many of 255 steps ffmpeg's own conversion of colours differs from ours at most, for frames that are the same before it.
 * Neighbouring frames of these clips, which are noisy, differ by more.
 */
const STEPS = 3;

/** Frames out of a clip of H.264 as RGB, beside the command ffmpeg, which pays for its start as in the loaders that call it. */
export function videoComparison(task: VideoTask, program?: string): Comparison {
  const { name, width, height, frames, keyFrames, wanted } = task;
  return {
    suite: 'data',
    id: `video/${name}`,
    parameters: { width, height, frames, keyFrames, wanted },
    prepare: ({ now }) =>
      preparing(async (undo) => {
        const { ffmpeg, absent } = await findFfmpeg(program);
        if (ffmpeg === undefined) return { contenders: [], absent };
        const path = (await workFolder(undo)).path('clip.mp4');
        await makeClip(ffmpeg, task, path);
        const indices = segmentFrames(frames, { segments: wanted });
        const read = async () => {
          await using video = await openVideo(path);
          return (await readClip(video, indices)).data;
        };
        const reference = () => framesByFfmpeg(ffmpeg, path, indices);
        const missing = await missingDecoder(path);
        const own: Contender = {
          name: 'openVideo',
          role: 'saccade',
          run: async () => {
            await read();
            return undefined;
          },
          check: async () => sameFrames('the frames of ffmpeg', await read(), await reference()),
        };
        const peer: Contender = {
          name: 'ffmpeg',
          role: 'peer',
          engine: ffmpeg.engine,
          async run() {
            // Not the processor time: that is another process's.
            const began = now();
            await reference();
            return { wallMs: now() - began };
          },
          check: async () =>
            missing === undefined
              ? sameFrames('the frames of openVideo', await reference(), await read())
              : rightLength(await reference(), wanted * width * height * 3),
        };
        return {
          contenders: missing === undefined ? [own, peer] : [peer],
          baseline: peer.name,
          ...(missing && { absent: [missing] }),
        };
      }),
  };
}

/** Moving shapes with some noise, so that there is something to decode. */
async function makeClip(ffmpeg: Ffmpeg, { width, height, frames, keyFrames }: VideoTask, path: string): Promise<void> {
  const source = `testsrc2=size=${width}x${height}:rate=30:duration=${frames / 30}`;
  const picture = ['-f', 'lavfi', '-i', source, '-vf', 'noise=alls=8:allf=t', '-pix_fmt', 'yuv420p'];
  await ffmpeg.run([...picture, '-c:v', 'libx264', '-crf', '26', '-g', String(keyFrames), path]);
}

async function framesByFfmpeg(ffmpeg: Ffmpeg, path: string, indices: readonly number[]): Promise<Uint8Array> {
  const select = indices.map((index) => `eq(n,${index})`).join('+');
  const raw = ['-vsync', '0', '-f', 'rawvideo', '-pix_fmt', 'rgb24', '-'];
  return await ffmpeg.run(['-i', path, '-vf', `select='${select}'`, ...raw]);
}

/** That the decoders of @saccade/media are not installed, if so. */
async function missingDecoder(path: string): Promise<Absent | undefined> {
  try {
    await (await openVideo(path)).close();
    return undefined;
  } catch (error) {
    if (error instanceof DecodeError && error.code === 'MissingPackage') {
      return { name: 'openVideo', reason: error.message };
    }
    throw error;
  }
}

/** Whether frames are the same but for the conversion of colours. */
export function sameFrames(against: string, actual: Uint8Array, expected: Uint8Array): CheckResult {
  const length = rightLength(actual, expected.length);
  if (length.error > 0) return length;
  let most = 0;
  for (let i = 0; i < expected.length; i++) {
    most = Math.max(most, Math.abs((actual[i] as number) - (expected[i] as number)));
  }
  return { against, error: most / 255, tolerance: STEPS / 255 };
}

function rightLength({ length }: Uint8Array, expected: number): CheckResult {
  return { against: 'the number of bytes', error: Math.abs(length - expected) / expected, tolerance: 0 };
}
