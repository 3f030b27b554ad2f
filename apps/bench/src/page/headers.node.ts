/**
 * Headers that isolate the page from other origins: only then does a browser give it a clock of 5 microseconds (else 100)
 * and SharedArrayBuffer, and with it threads.
 */
export const ISOLATION = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
} as const;
