import { openBench } from '../device/openBench.browser.ts';
import { measureRoofline } from '../device/roofline/index.ts';
import { detectPeers } from '../peers/index.ts';
import { suites } from '../suites/index.ts';
import type { ToWorker } from '../worker/protocol.ts';
import { serve } from '../worker/serve.ts';

serve(
  {
    send: (message) => postMessage(message),
    onMessage: (listener) => addEventListener('message', ({ data }: MessageEvent<ToWorker>) => listener(data)),
  },
  { suites, open: openBench, detectPeers, measureRoofline, full: () => false },
);
