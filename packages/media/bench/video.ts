import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { readClip, segmentFrames } from '@saccade/media';
import { openVideo } from '@saccade/media/node';

// How long it takes to get 16 RGB frames, spread evenly, out of a clip of 10 seconds in 1280 x 720, beside the command ffmpeg
// on the same file in the same run:
//
//   pnpm --filter @saccade/media run bench
//
// The two take turns. ffmpeg pays for starting a process each time, as it does in the loaders that call it.

const ROUNDS = 7;
const FRAMES = 16;
const [WIDTH, HEIGHT, SECONDS, RATE] = [1280, 720, 10, 30];

/** Distances of key frames: what x264 does by itself, and one second. */
const CLIPS = { 'key frames every 250': [], 'key frames every 30': ['-g', '30'] };

const folder = await mkdtemp(join(tmpdir(), 'saccade-bench-'));
try {
  console.log(`Node ${process.version}, ${cpus()[0]?.model}, ${availableParallelism()} cores`);
  console.log(`${ffmpeg(['-version']).toString().split('\n', 1)[0]}\n`);
  for (const [name, options] of Object.entries(CLIPS)) {
    const path = join(folder, 'clip.mp4');
    makeClip(path, options);
    await measure(name, path);
  }
} finally {
  await rm(folder, { recursive: true });
}

function ffmpeg(options: readonly string[]): Buffer {
  const { stdout, stderr, status, error } = spawnSync('ffmpeg', options, { maxBuffer: 2 ** 30 });
  if (error !== undefined || status !== 0) {
    throw new Error(`This measurement needs ffmpeg with libx264 (apt install ffmpeg): ${error?.message ?? stderr}`);
  }
  return stdout;
}

/** Moving shapes with some noise, so that there is something to decode. */
function makeClip(path: string, options: readonly string[]): void {
  const source = `testsrc2=size=${WIDTH}x${HEIGHT}:rate=${RATE}:duration=${SECONDS}`;
  const picture = ['-f', 'lavfi', '-i', source, '-vf', 'noise=alls=8:allf=t', '-pix_fmt', 'yuv420p'];
  ffmpeg(['-v', 'error', '-y', ...picture, '-c:v', 'libx264', '-crf', '26', ...options, path]);
}

async function measure(name: string, path: string): Promise<void> {
  const indices = segmentFrames(SECONDS * RATE, { segments: FRAMES });
  const select = indices.map((index) => `eq(n,${index})`).join('+');
  const [ours, theirs]: [number[], number[]] = [[], []];
  let [size, theirSize] = [0, 0];
  // The first round, which loads code and fills caches, does not count.
  for (let round = 0; round <= ROUNDS; round++) {
    const began = performance.now();
    const video = await openVideo(path);
    size = (await readClip(video, indices)).data.length;
    await video.close();
    const between = performance.now();
    const raw = ['-vsync', '0', '-f', 'rawvideo', '-pix_fmt', 'rgb24', '-'];
    theirSize = ffmpeg(['-v', 'error', '-i', path, '-vf', `select='${select}'`, ...raw]).length;
    const ended = performance.now();
    if (round > 0) {
      ours.push(between - began);
      theirs.push(ended - between);
    }
  }
  if (size !== theirSize) throw new Error(`we read ${size} bytes, ffmpeg ${theirSize}`);
  const ratio = median(ours) / median(theirs);
  const show = (times: number[]) =>
    `${median(times).toFixed(0)} ms (${Math.min(...times).toFixed(0)} to ${Math.max(...times).toFixed(0)})`;
  console.log(`${name}: openVideo ${show(ours)}, ffmpeg ${show(theirs)}, ratio ${ratio.toFixed(2)}`);
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
