import type { RandomStream } from '../random.ts';
import type { Heading, Profile } from './tasks.ts';

/** Unit steps as (y, x); y grows downwards. */
const STEP: Record<Heading, readonly [y: number, x: number]> = {
  left: [0, -1],
  right: [0, 1],
  up: [-1, 0],
  down: [1, 0],
};

export interface PathOptions {
  /** Number of frames T; the path has K = T - 1 steps. */
  readonly frames: number;
  readonly heading: Heading;
  readonly profile: Profile;
  /** Mean of the absolute steps v, in pixels per frame. */
  readonly speed: number;
  /** How far the speed changes, a in [0, 1]: from (1 - a) v to (1 + a) v. */
  readonly change: number;
}

/**
 * Signed steps along the heading, in pixels; K = `frames` - 1, k = 0 ... K - 1:
 *
 * - constant: v
 * - accelerate: v (1 + a (2 k / (K - 1) - 1)), linear from (1 - a) v to (1 + a) v
 * - decelerate: the same steps in opposite order
 * - there-and-back: v until the turn, -v after it; the turn comes after K / 2 steps, or for odd K after
 *   (K - 1) / 2 or (K + 1) / 2 steps, each with probability 1/2
 *
 * The length of the way is K v in every class, so the classes share one distribution of distance travelled. The net
 * displacement is K v in all but there-and-back, where it is 0 or +-v by definition.
 */
export function steps({ frames, profile, speed, change }: PathOptions, random: RandomStream): number[] {
  const count = frames - 1;
  // Drawn for every class, so that the class does not shift what is drawn after it.
  const turn = random.below(2) === 0 ? Math.floor(count / 2) : Math.ceil(count / 2);
  const ramp = (k: number) => change * ((2 * k) / (count - 1) - 1);
  const step: Record<Profile, (k: number) => number> = {
    constant: () => speed,
    accelerate: (k) => speed * (1 + ramp(k)),
    decelerate: (k) => speed * (1 - ramp(k)),
    'there-and-back': (k) => (k < turn ? speed : -speed),
  };
  return Array.from({ length: count }, (_, k) => step[profile](k));
}

/**
 * Positions [T, 2] as (y, x) in pixels, not wrapped: take them modulo the canvas to draw.
 *
 * @param start position in frame 0
 */
export function path(options: PathOptions, start: readonly [y: number, x: number], random: RandomStream): Float64Array {
  const [dy, dx] = STEP[options.heading];
  const positions = new Float64Array(2 * options.frames);
  let travelled = 0;
  [0, ...steps(options, random)].forEach((step, t) => {
    travelled += step;
    positions[2 * t] = start[0] + dy * travelled;
    positions[2 * t + 1] = start[1] + dx * travelled;
  });
  return positions;
}
