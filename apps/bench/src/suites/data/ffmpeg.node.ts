import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Absent } from '../../core/comparison.ts';

const run = promisify(execFile);

/** The command ffmpeg. */
export interface Ffmpeg {
  /** `ffmpeg 5.1.9` */
  readonly engine: string;
  /** What it writes to its output. @throws with what it complains of */
  run(options: readonly string[]): Promise<Buffer>;
}

/** ffmpeg with an encoder for H.264, or why it is not here. */
export async function findFfmpeg(
  program = 'ffmpeg',
): Promise<{ readonly ffmpeg?: Ffmpeg; readonly absent: readonly Absent[] }> {
  try {
    const { stdout } = await run(program, ['-hide_banner', '-encoders']);
    if (!stdout.includes('libx264')) throw new Error('it was built without libx264');
    const version = (await run(program, ['-version'])).stdout.split(' ')[2]?.split('-')[0] ?? '';
    return {
      ffmpeg: {
        engine: `ffmpeg ${version}`,
        async run(options) {
          const quiet = ['-v', 'error', '-y', ...options];
          return (await run(program, quiet, { encoding: 'buffer', maxBuffer: 2 ** 30 })).stdout;
        },
      },
      absent: [],
    };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const reason = `no ffmpeg with libx264, which makes the clip (apt install ffmpeg): ${message}`;
    return { absent: [{ name: 'ffmpeg', reason }] };
  }
}
