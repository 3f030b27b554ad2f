/** A sleep is this share of the time waited so far, so that short waits stay short... */
const sleepShare = 0.1;
/** ... and long ones leave the event loop its turns. */
const longestSleepMilliseconds = 1;

/** What nobody ever wakes; made late, since pages that are not isolated have no SharedArrayBuffer. */
let never: Int32Array | undefined;
let waiting = 0;
let waitingSince = 0;
let turning = false;

/** One turn of the event loop while promises wait: a sleep, so that Dawn's next poll does not follow at once. */
function turn(): void {
  turning = waiting > 0;
  if (!turning) return;
  const waited = performance.now() - waitingSince;
  never ??= new Int32Array(new SharedArrayBuffer(4));
  Atomics.wait(never, 0, 0, Math.min(sleepShare * waited, longestSleepMilliseconds));
  setImmediate(turn);
}

/**
 * Awaits a promise of the GPU without burning a processor core.
 *
 * While a promise of Dawn (the WebGPU of the npm package `webgpu`) is pending, Dawn polls the GPU from Node's event
 * loop, once a turn and without a pause, and takes the processor from the driver's threads and from anybody else. This
 * puts a short sleep into each turn for as long as a promise waits, and only then. Measured on two cores with a software
 * driver: about twice the speed, a tenth of the main thread's time.
 *
 * For Node only: a browser polls nothing, and forbids sleeping on its main thread.
 */
export async function paced<T>(pending: Promise<T>): Promise<T> {
  waiting++;
  waitingSince = performance.now();
  if (!turning) {
    turning = true;
    setImmediate(turn);
  }
  try {
    return await pending;
  } finally {
    waiting--;
  }
}
