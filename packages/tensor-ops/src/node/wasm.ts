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
  if (!(await tf.setBackend('wasm'))) {
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
