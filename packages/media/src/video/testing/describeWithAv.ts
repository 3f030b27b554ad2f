import { describe } from 'vitest';

/** Why FFmpeg's libraries cannot be loaded here (node-av has no binary for every machine); undefined if they can. */
const missing = await import('node-av/lib').then(
  () => undefined,
  (error: unknown) => String(error).split('\n', 1)[0],
);

/** `describe` for tests that decode videos in Node. Where that cannot be, the block is skipped and says so. */
export function describeWithAv(title: string, tests: () => void): void {
  if (missing === undefined) {
    describe(title, tests);
    return;
  }
  console.warn(`SKIPPED: ${title}: ${missing}`);
  describe.skip(`${title} [skipped, ${missing}]`, tests);
}
