import { dirname, sep } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { BackendError } from '../backendError.ts';
import type { BackendInfo } from './backendInfo.ts';
import { freeBackend } from './freeBackend.ts';
import { optionalPackage, packageFile } from './optionalPackage.ts';

export async function setupWasm(): Promise<BackendInfo> {
  const name = '@tensorflow/tfjs-backend-wasm';
  const wasm = await optionalPackage('wasm', name, () => import('@tensorflow/tfjs-backend-wasm'));
  // The backend looks beside the script that it runs from, which is elsewhere once somebody has bundled it.
  wasm.setWasmPaths(dirname(packageFile(`${name}/dist/tfjs-backend-wasm.wasm`)) + sep);
  const restore = keepListeners('uncaughtException', 'unhandledRejection');
  const loaded = await tf.setBackend('wasm');
  restore();
  if (!loaded) {
    throw new BackendError(
      'wasm',
      `its binaries (${name}/dist/*.wasm) could not be loaded; the reason is printed above`,
    );
  }
  const simd = await tf.env().getAsync('WASM_HAS_SIMD_SUPPORT');
  return {
    name: 'wasm',
    features: simd ? ['simd'] : [],
    takeErrors: async () => [],
    dispose: () => freeBackend('wasm'),
  };
}

/**
 * Remembers who listens to the process' events, to remove whoever joins meanwhile: emscripten adds listeners that throw
 * every uncaught error of the program again, so that Node prints the whole source of the backend with it.
 */
function keepListeners(...events: ('uncaughtException' | 'unhandledRejection')[]): () => void {
  const known = new Map(events.map((event) => [event, new Set(process.listeners(event as 'uncaughtException'))]));
  return () => {
    for (const [event, listeners] of known) {
      for (const listener of process.listeners(event as 'uncaughtException')) {
        if (!listeners.has(listener)) process.removeListener(event, listener);
      }
    }
  };
}
