import * as tf from '@tensorflow/tfjs-core';
import type { WebGPUBackendInternals } from './backend.ts';
import { awaitDevice, collectErrors, finishDevice, paceDevice, takeErrors } from './settle.ts';

/** `WebGPUBackend` of `@tensorflow/tfjs-backend-webgpu`, handed in by whoever imported that package. */
export type WebGPUBackendClass = new (
  device: GPUDevice,
  info: GPUAdapterInfo,
) => tf.KernelBackend & { getBufferData(buffer: GPUBuffer): Promise<ArrayBuffer> };

/** A webgpu backend on a device of our own. */
export interface RegisteredDevice {
  /**
   * Waits until the GPU has done all work given to it so far, then hands over (and forgets) the errors it reported.
   * WebGPU never throws for a wrong shader or binding: the result is garbage, and this list is the only witness.
   */
  takeErrors(): Promise<string[]>;
  /** Removes the backend with all its tensors, and destroys the device. */
  dispose(): void;
}

/** Features worth having where the adapter has them: timings, half precision, sums across a subgroup. */
const wantedFeatures = ['timestamp-query', 'shader-f16', 'subgroups', 'bgra8unorm-storage'] as const;

/** Limits whose defaults are far below what a vision model needs; each is raised to what the adapter offers. */
const raisedLimits = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
  'maxComputeWorkgroupSizeY',
  'maxComputeWorkgroupsPerDimension',
] as const;

/** What to ask of `adapter.requestDevice`: tfjs' own registration asks for less (no half precision, no subgroups). */
export function deviceDescriptor(adapter: GPUAdapter): GPUDeviceDescriptor {
  const features = wantedFeatures.filter((feature) => adapter.features.has(feature));
  const limits = Object.fromEntries(raisedLimits.map((limit) => [limit, adapter.limits[limit] as number]));
  return { requiredFeatures: [...features], requiredLimits: limits };
}

/**
 * Registers the backend `webgpu` on `device`, in place of tfjs' own registration, and takes it into use.
 *
 * @param pacing `true` in Node: see {@link paceDevice}.
 */
export async function registerDevice(
  WebGPUBackend: WebGPUBackendClass,
  device: GPUDevice,
  info: GPUAdapterInfo,
  { pacing }: { pacing: boolean },
): Promise<RegisteredDevice> {
  if (pacing) paceDevice(device);
  class PacedBackend extends WebGPUBackend {
    // The one place where tfjs waits for the numbers of a tensor.
    override getBufferData(buffer: GPUBuffer): Promise<ArrayBuffer> {
      return awaitDevice(device, super.getBufferData(buffer));
    }
  }
  const backend = new PacedBackend(device, info);
  if (tf.findBackendFactory('webgpu') !== null) tf.removeBackend('webgpu');
  tf.registerBackend('webgpu', () => backend, webgpuPriority);
  await tf.setBackend('webgpu');

  collectErrors(device);

  return {
    async takeErrors() {
      await finishDevice(backend as unknown as WebGPUBackendInternals);
      return takeErrors(device);
    },
    dispose() {
      if (tf.findBackend('webgpu') === (backend as unknown)) tf.removeBackend('webgpu');
      device.destroy();
    },
  };
}

/** As in tfjs' own registration. */
const webgpuPriority = 3;
