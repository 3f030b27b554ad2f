/**
 * Lets timers, input and aborts have their turn: resolves in a later task, not a mere microtask.
 *
 * Neither `setTimeout` (throttled in hidden tabs) nor animation frames (stopped there) would keep a training going.
 */
export function pause(): Promise<void> {
  if (typeof setImmediate === 'function') return new Promise((resolve) => setImmediate(resolve));
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}
