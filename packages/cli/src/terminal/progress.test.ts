import { describe, expect, it } from 'vitest';
import { Collector } from '../testing/cli.ts';
import { byteProgress, withProgress } from './progress.ts';
import type { Terminal } from './terminal.ts';

/** A terminal, as far as bars ask. */
class Screen extends Collector {
  readonly isTTY: boolean;
  readonly columns = 100;

  constructor(isTTY: boolean) {
    super();
    this.isTTY = isTTY;
  }
}

const on = (stderr: Screen): Terminal => ({ stdout: new Collector(), stderr, signal: new AbortController().signal });

describe('byteProgress', () => {
  it('draws a bar in a terminal, and takes it away', async () => {
    const screen = new Screen(true);
    const progress = byteProgress(on(screen), 'read');
    progress.update(2 ** 20, 2 ** 22);
    // A bar is drawn eight times a second.
    await new Promise((resolve) => setTimeout(resolve, 300));
    progress.stop();
    expect(screen.text).toMatch(/read .*25% · 1 MiB of 4 MiB/);
    expect(screen.text).toContain('\u001b[?25h');
  });

  it('says nothing elsewhere, also when work fails', async () => {
    const log = new Screen(false);
    const failing = withProgress(on(log), 'read', async ({ update }) => {
      update(1, undefined);
      throw new Error('broken');
    });
    await expect(failing).rejects.toThrow('broken');
    expect(log.text).toBe('');
  });
});
