import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { consoleProgress } from './progress.ts';

function capture(isTTY: boolean) {
  const stream = Object.assign(new PassThrough(), { isTTY, columns: 120 });
  return { stream, text: () => String(stream.read() ?? '') };
}

describe('consoleProgress in a log', () => {
  it('prints a line every interval and one at the end, with the time left', () => {
    const { stream, text } = capture(false);
    let clock = 0;
    const progress = consoleProgress({ title: 'train', total: 100, stream, lineInterval: 5000, now: () => clock });
    for (let done = 1; done <= 100; done++) {
      clock += 100;
      progress.update(done, { loss: 1 / done, accuracy: `${done} %` });
    }
    progress.stop();
    progress.stop();
    expect(text().trimEnd().split('\n')).toEqual([
      'train 1% · 1/100 · loss 1 · accuracy 1 % · ETA 10 s',
      'train 51% · 51/100 · loss 0.0196 · accuracy 51 % · ETA 5 s',
      'train 100% · 100/100 · loss 0.01 · accuracy 100 % · 10 s',
    ]);
  });

  it('leaves the units of an earlier run out of the time left', () => {
    const { stream, text } = capture(false);
    let clock = 0;
    const progress = consoleProgress({ title: 'train', total: 100, start: 80, stream, now: () => clock });
    progress.update(80);
    clock = 10_000;
    progress.update(90);
    expect(text()).toBe('train 90% · 90/100 · ETA 10 s\n');
  });

  it('says at stop what it had not said yet', () => {
    const { stream, text } = capture(false);
    let clock = 0;
    const progress = consoleProgress({ title: 't', total: 10, stream, now: () => clock });
    progress.update(1);
    clock = 1000;
    progress.update(2);
    expect(text()).toBe('t 10% · 1/10 · ETA 0 s\n');
    progress.stop();
    expect(text()).toBe('t 20% · 2/10 · ETA 4 s\n');
  });
});

describe('consoleProgress in a terminal', () => {
  it('draws a bar and gives the cursor back', () => {
    const { stream, text } = capture(true);
    const terminal = Object.assign(stream, { cursorTo: () => true, clearLine: () => true, moveCursor: () => true });
    const progress = consoleProgress({ title: 'evaluate', total: 4, stream: terminal });
    progress.update(4, { accuracy: '75 %' });
    progress.stop();
    progress.stop();
    const drawn = text();
    expect(drawn).toContain('evaluate ████████████████████████ 100% · 4/4 · accuracy 75 %');
    expect(drawn).toContain('\u001b[?25h');
  });
});
