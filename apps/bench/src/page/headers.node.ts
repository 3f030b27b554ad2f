/**
 * Headers that isolate the page from other origins: only then does Chromium give it a clock of 5 microseconds (else 100; other
 * browsers differ more), and SharedArrayBuffer, and with it threads to those peers that have any.
 */
export const ISOLATION = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
} as const;
