/** Where the digit goes. */
export const HEADINGS = ['left', 'right', 'up', 'down'] as const;
export type Heading = (typeof HEADINGS)[number];

/** How its speed changes on the way. */
export const PROFILES = ['constant', 'accelerate', 'decelerate', 'there-and-back'] as const;
export type Profile = (typeof PROFILES)[number];

export const MOTION_TASKS = ['direction', 'speed', 'motion'] as const;
/**
 * What a class means:
 *
 * - `direction` (4 classes): the heading; the speed is constant
 * - `speed` (4 classes): the profile; the heading is random
 * - `motion` (16 classes): heading and profile together
 */
export type MotionTask = (typeof MOTION_TASKS)[number];

/** The motion of a class; a `null` is drawn at random per clip and carries no label. */
export interface MotionClass {
  readonly name: string;
  readonly heading: Heading | null;
  readonly profile: Profile;
}

const CLASSES: Record<MotionTask, readonly MotionClass[]> = {
  direction: HEADINGS.map((heading) => ({ name: heading, heading, profile: 'constant' })),
  speed: PROFILES.map((profile) => ({ name: profile, heading: null, profile })),
  motion: PROFILES.flatMap((profile) =>
    HEADINGS.map((heading) => ({ name: `${profile} ${heading}`, heading, profile })),
  ),
};

const OPPOSITE: Record<Heading, Heading> = { left: 'right', right: 'left', up: 'down', down: 'up' };

/** The classes of a task; a label is an index into them. */
export function motionClasses(task: MotionTask): readonly MotionClass[] {
  return CLASSES[task];
}

/** The heading of a motion run backwards: the opposite one, but there-and-back still sets out the same way. */
export function reversedHeading(heading: Heading, profile: Profile): Heading {
  return profile === 'there-and-back' ? heading : OPPOSITE[heading];
}

/**
 * The class that a clip shows when it is played backwards.
 *
 * Left and right change places, up and down, accelerate and decelerate. There-and-back keeps its class: it ends where it
 * began, so the film run backwards sets out the same way.
 */
export function reversedLabel(task: MotionTask, label: number): number {
  const classes = CLASSES[task];
  const { heading, profile } = classes[label] as MotionClass;
  const backwards: Profile =
    profile === 'accelerate' ? 'decelerate' : profile === 'decelerate' ? 'accelerate' : profile;
  const turned = heading === null ? null : reversedHeading(heading, profile);
  return classes.findIndex((other) => other.heading === turned && other.profile === backwards);
}

/**
 * The best accuracy that any model can reach which sees the frames of a clip as an unordered bag.
 *
 * Classes whose bags of frames have the same distribution cannot be told apart: a class and its reversal always, and
 * with an even number of frames also there-and-back to opposite sides (the bag of such a clip is its own mirror image;
 * with an odd number the turning point is visited once and gives it away). Ceiling = distinguishable groups / classes.
 */
export function orderBlindCeiling(task: MotionTask, frames: number): number {
  const classes = CLASSES[task];
  const groupOf = (label: number) => {
    const { heading, profile } = classes[label] as MotionClass;
    const mirrored = profile === 'there-and-back' && heading !== null && frames % 2 === 0;
    const twin = mirrored
      ? classes.findIndex((other) => other.profile === profile && other.heading === OPPOSITE[heading])
      : reversedLabel(task, label);
    return Math.min(label, twin);
  };
  return new Set(classes.map((_, label) => groupOf(label))).size / classes.length;
}
