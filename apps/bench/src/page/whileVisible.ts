import type { FromWorker, ToWorker, WorkerHandle } from '../worker/protocol.ts';

/** The part of a document that tells whether anybody sees it. */
export interface SeenDocument extends Pick<EventTarget, 'addEventListener' | 'removeEventListener'> {
  readonly hidden: boolean;
}

/** Milliseconds between two signs of life of work that waits; who waits for it gives up after minutes of silence. */
const SIGN_OF_LIFE = 30_000;

/**
 * A worker that is only given work while the page is visible. Browsers slow hidden pages down, and their workers with them,
 * so whatever was measured while the page was hidden, for a moment or for long, is thrown away and done once more when it
 * is visible again. Who uses the worker notices nothing but the delay.
 *
 * @param start starts a worker; the opening of a backend, which measures too, is repeated in a new one
 * @param onVoid is told, when the page is hidden, that something has to be repeated
 */
export function whileVisible(start: () => WorkerHandle, page: SeenDocument, onVoid: () => void): WorkerHandle {
  let inner = start();
  let asked: ToWorker | undefined;
  let held = false;
  let disturbed = false;
  let waiting: ReturnType<typeof setInterval> | undefined;
  let deliver: ((message: FromWorker) => void) | undefined;
  let exit: ((reason: string) => void) | undefined;

  const showLife = () => deliver?.({ type: 'progress', progress: { phase: 'prepare' } });
  const ask = () => {
    held = page.hidden;
    disturbed = page.hidden;
    clearInterval(waiting);
    if (held) waiting = setInterval(showLife, SIGN_OF_LIFE);
    else if (asked !== undefined) inner.send(asked);
  };
  const onChange = () => {
    if (asked === undefined) return;
    if (page.hidden) {
      if (!disturbed) onVoid();
      disturbed = true;
    } else if (held) ask();
  };
  const connect = () => {
    inner.onMessage((message) => {
      if (message.type === 'progress') deliver?.(message);
      else if (!disturbed || message.type === 'failed') {
        asked = undefined;
        deliver?.(message);
      } else {
        if (asked?.type === 'open') {
          inner.terminate();
          inner = start();
          connect();
        }
        ask();
      }
    });
    inner.onExit((reason) => {
      leave();
      exit?.(reason);
    });
  };
  const leave = () => {
    clearInterval(waiting);
    page.removeEventListener('visibilitychange', onChange);
  };

  page.addEventListener('visibilitychange', onChange);
  connect();
  return {
    send(message) {
      asked = message;
      ask();
      if (held) onVoid();
    },
    onMessage(listener) {
      deliver = listener;
    },
    onExit(listener) {
      exit = listener;
    },
    terminate() {
      leave();
      inner.terminate();
    },
  };
}
