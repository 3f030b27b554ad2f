import * as tf from '@tensorflow/tfjs-core';
import type { BackendInfo } from './backendInfo.ts';
import { freeBackend } from './freeBackend.ts';
import { optionalPackage } from './optionalPackage.ts';

export async function setupCpu(): Promise<BackendInfo> {
  const name = '@tensorflow/tfjs-backend-cpu';
  await optionalPackage('cpu', name, () => import('@tensorflow/tfjs-backend-cpu'));
  await tf.setBackend('cpu');
  silenceBanner();
  return { name: 'cpu', features: [], takeErrors: async () => [], dispose: () => freeBackend('cpu') };
}

/**
 * The first tensor on this backend makes tfjs print an invitation to install tfjs-node, over seven lines. It is not
 * printed in production mode, so the first tensor is made in that mode, which is left at once.
 */
function silenceBanner(): void {
  const production = tf.env().getBool('PROD');
  tf.env().set('PROD', true);
  tf.dispose(tf.scalar(0));
  tf.env().set('PROD', production);
}
