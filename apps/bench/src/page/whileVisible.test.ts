import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { FromWorker, ToWorker, WorkerHandle } from '../worker/protocol.ts';
import { whileVisible } from './whileVisible.ts';

class Page extends EventTarget {
  hidden = false;

  set(hidden: boolean) {
    this.hidden = hidden;
    this.dispatchEvent(new Event('visibilitychange'));
  }
}

/** A worker that notes what it is told, and says what the test wants it to. */
class Puppet implements WorkerHandle {
  readonly told: ToWorker[] = [];
  terminated = false;
  say: (message: FromWorker) => void = () => {};
  exit: (reason: string) => void = () => {};

  send(message: ToWorker) {
    this.told.push(message);
  }
  onMessage(listener: (message: FromWorker) => void) {
    this.say = listener;
  }
  onExit(listener: (reason: string) => void) {
    this.exit = listener;
  }
  terminate() {
    this.terminated = true;
  }
}

const MEASURE: ToWorker = { type: 'measure', suite: 'operators', comparison: 'attention' };
const OPEN = { type: 'open' } as ToWorker;
const ROWS: FromWorker = { type: 'rows', rows: [], full: false };
const OPENED = { type: 'opened' } as FromWorker;

describe('whileVisible', () => {
  let page: Page;
  let workers: Puppet[];
  let heard: FromWorker[];
  const onVoid = vi.fn();
  const current = () => workers.at(-1) as Puppet;

  function handle(): WorkerHandle {
    const start = () => {
      workers.push(new Puppet());
      return current();
    };
    const guarded = whileVisible(start, page, onVoid);
    guarded.onMessage((message) => heard.push(message));
    return guarded;
  }

  beforeEach(() => {
    page = new Page();
    [workers, heard] = [[], []];
    onVoid.mockReset();
  });

  it('passes everything on while the page is visible', () => {
    const guarded = handle();
    guarded.send(MEASURE);
    current().say(ROWS);
    expect([current().told, heard]).toEqual([[MEASURE], [ROWS]]);
    expect(onVoid).not.toHaveBeenCalled();
  });

  it('measures anew what was measured while the page was hidden for a moment', () => {
    handle().send(MEASURE);
    page.set(true);
    page.set(false);
    current().say(ROWS);
    expect([current().told, heard]).toEqual([[MEASURE, MEASURE], []]);
    expect(onVoid).toHaveBeenCalledOnce();
    current().say(ROWS);
    expect(heard).toEqual([ROWS]);
  });

  it('measures nothing while the page is hidden, and shows that it lives', () => {
    vi.useFakeTimers();
    try {
      page.set(true);
      handle().send(MEASURE);
      expect(current().told).toEqual([]);
      vi.advanceTimersByTime(120_000);
      expect(heard.map(({ type }) => type)).toEqual(['progress', 'progress', 'progress', 'progress']);
      page.set(false);
      expect(current().told).toEqual([MEASURE]);
      vi.advanceTimersByTime(120_000);
      expect(heard).toHaveLength(4);
      current().say(ROWS);
      expect(heard.at(-1)).toBe(ROWS);
    } finally {
      vi.useRealTimers();
    }
  });

  it('holds an answer of a hidden page back until it is visible and measured anew', () => {
    handle().send(MEASURE);
    page.set(true);
    current().say(ROWS);
    expect([current().told, heard]).toEqual([[MEASURE], []]);
    page.set(false);
    current().say(ROWS);
    expect([current().told, heard]).toEqual([[MEASURE, MEASURE], [ROWS]]);
  });

  it('opens a backend in a new worker when the page was hidden: its roofline is measured too', () => {
    handle().send(OPEN);
    page.set(true);
    page.set(false);
    current().say(OPENED);
    expect(workers.map(({ terminated, told }) => [terminated, told])).toEqual([
      [true, [OPEN]],
      [false, [OPEN]],
    ]);
    current().say(OPENED);
    expect(heard).toEqual([OPENED]);
  });

  it('reports failures as they come, hidden or not', () => {
    const guarded = handle();
    const exits: string[] = [];
    guarded.onExit((reason) => exits.push(reason));
    guarded.send(MEASURE);
    page.set(true);
    current().say({ type: 'failed', reason: 'lost' });
    current().exit('gone');
    expect(heard).toEqual([{ type: 'failed', reason: 'lost' }]);
    expect(exits).toEqual(['gone']);
  });

  it('leaves the page alone once terminated', () => {
    const guarded = handle();
    guarded.send(MEASURE);
    guarded.terminate();
    page.set(true);
    expect(current().terminated).toBe(true);
    expect(onVoid).not.toHaveBeenCalled();
  });
});
