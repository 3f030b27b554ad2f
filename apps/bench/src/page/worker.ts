import { openBench } from '../device/openBench.browser.ts';
import { measureRoofline } from '../device/roofline/index.ts';
import { detectPeers } from '../peers/index.ts';
import { suites } from '../suites/index.ts';
import type { ToWorker } from '../worker/protocol.ts';
import { serve } from '../worker/serve.ts';
import { heldBytes } from './heldBytes.ts';

// The Web Worker that measures: one backend, one comparison after the other. The page stays free to answer its visitor.

/** Bytes that a worker may hold before another one takes over. The heap of wasm ends at 2 GiB. */
const FULL = 2 ** 30;

/** The bundler sees these addresses and puts the files beside the page. */
const wasmPaths = {
  'tfjs-backend-wasm.wasm': new URL('@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm', import.meta.url).href,
  'tfjs-backend-wasm-simd.wasm': new URL(
    '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm',
    import.meta.url,
  ).href,
  'tfjs-backend-wasm-threaded-simd.wasm': new URL(
    '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-threaded-simd.wasm',
    import.meta.url,
  ).href,
};

serve(
  {
    send: (message) => postMessage(message),
    onMessage: (listener) => addEventListener('message', ({ data }: MessageEvent<ToWorker>) => listener(data)),
  },
  {
    suites,
    open: (place, found) => openBench(place, { ...found, wasmPaths }),
    detectPeers,
    measureRoofline,
    full: () => heldBytes() > FULL,
  },
);
