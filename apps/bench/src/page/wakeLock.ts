/**
 * Keeps the screen on, and with it the page visible, where the browser can and may (it refuses on an empty battery).
 *
 * @returns lets the screen go off again
 */
export function keepAwake(): () => void {
  let ended = false;
  let lock: WakeLockSentinel | undefined;
  const request = async () => {
    // A browser takes the lock away from a hidden page, and gives it none.
    if (document.hidden || !('wakeLock' in navigator)) return;
    lock = await navigator.wakeLock.request('screen').catch(() => undefined);
    if (ended) await lock?.release();
  };
  document.addEventListener('visibilitychange', request);
  void request();
  return () => {
    ended = true;
    document.removeEventListener('visibilitychange', request);
    void lock?.release();
  };
}
