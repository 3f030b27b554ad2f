import * as tf from '@tensorflow/tfjs-core';
import { SaccadeError } from '../errors.ts';
import { watchDevice } from '../webgpu/watch.ts';
import { finish } from './settle.ts';
import { watchTensors } from './tensors.ts';
import { watchHeap } from './wasm.ts';
import { watchTextures } from './webgl.ts';

/** The most that existed at once, beside what was there before. */
export interface MemoryPeak {
  /** bytes of tensors; those that share their numbers (a reshaped tensor) count once */
  readonly tensorBytes: number;
  /**
   * Bytes on the device: of all results and scratch on the heap (`wasm`), of all GPU buffers, free ones in the pool included
   * (`webgpu`), of the textures in use (`webgl`). Absent on `cpu`.
   */
  readonly deviceBytes?: number;
  /** `webgpu` only: bytes of the largest part of a buffer that a program was given */
  readonly largestBinding?: number;
}

let watching = false;

/**
 * The most memory that existed at once while `action` ran, on the backend in use.
 *
 * Nothing is watched, and nothing is slower, before and after. On `webgpu`, the pool of free buffers is emptied first, so
 * the action pays for what it would have taken from there, and the next runs are slower until the pool is full again.
 * Data of type `string` and `complex64` are not counted among the tensors. On `wasm`, what XNNPACK keeps for itself
 * (packed weights of convolutions and products) is not seen.
 *
 * @throws {SaccadeError} while another measurement runs
 */
export async function peakMemory(action: () => Promise<void> | void): Promise<MemoryPeak> {
  if (watching) throw new SaccadeError('peakMemory: another measurement is running; await it first.');
  watching = true;
  try {
    await finish();
    const endDevice = watchBackend();
    const endTensors = watchTensors();
    let tensorBytes = 0;
    let device: Omit<MemoryPeak, 'tensorBytes'> = {};
    try {
      await action();
    } finally {
      tensorBytes = endTensors();
      device = endDevice();
    }
    return { tensorBytes, ...device };
  } finally {
    watching = false;
  }
}

/** Watches the device of the backend in use; the function returned ends that. */
function watchBackend(): () => Omit<MemoryPeak, 'tensorBytes'> {
  switch (tf.getBackend()) {
    case 'wasm': {
      const end = watchHeap();
      return () => ({ deviceBytes: end() });
    }
    case 'webgpu': {
      const end = watchDevice();
      return () => {
        const { peakBytes, largestBinding } = end();
        return { deviceBytes: peakBytes, largestBinding };
      };
    }
    case 'webgl': {
      const end = watchTextures();
      return () => ({ deviceBytes: end() });
    }
    default:
      return () => ({});
  }
}
