import * as tf from '@tensorflow/tfjs-core';
import { BackendError } from '../backendError.ts';
import { deviceDescriptor, registerDevice, type WebGPUBackendClass } from '../webgpu/register.ts';
import { isSoftwareAdapter } from '../webgpu/software.ts';
import type { BackendInfo, BackendOptions } from './backendInfo.ts';
import { optionalPackage } from './optionalPackage.ts';
import { hasVulkanLoader, useSoftwareDriver } from './vulkan.ts';

export async function setupWebGPU({ softwareDriver }: BackendOptions): Promise<BackendInfo> {
  const dawn = await optionalPackage('webgpu', 'webgpu', () => import('webgpu'));
  // GPUBufferUsage and the like, which tfjs expects among the globals.
  Object.assign(globalThis, dawn.globals);

  const { gpu, adapter } = await findAdapter((flags) => dawn.create([...flags]), softwareDriver);
  provideNavigatorGpu(gpu);
  // Only now: the package looks at `navigator.gpu` when it is imported.
  const name = '@tensorflow/tfjs-backend-webgpu';
  const { WebGPUBackend } = await optionalPackage('webgpu', name, () => import('@tensorflow/tfjs-backend-webgpu'));
  // Below 1,000 elements tfjs would silently run its JavaScript kernels instead of the GPU's.
  tf.env().set('WEBGPU_CPU_FORWARD', false);

  const device = await adapter.requestDevice(deviceDescriptor(adapter));
  const registered = await registerDevice(WebGPUBackend as unknown as WebGPUBackendClass, device, adapter.info, {
    pacing: true,
  });
  const { vendor, architecture, description } = adapter.info;
  return {
    name: 'webgpu',
    adapter: { vendor, architecture, description, software: isSoftwareAdapter(adapter.info) },
    features: [...device.features].sort(),
    takeErrors: () => registered.takeErrors(),
    dispose: () => registered.dispose(),
  };
}

interface FoundAdapter {
  readonly gpu: GPU;
  readonly adapter: GPUAdapter;
}

/**
 * The instance of Dawn that gave an adapter. There is one for the life of the process: its devices, buffers and adapters
 * are freed whenever the garbage collector comes round, and crash the process if their instance went first.
 */
let instance: GPU | undefined;

/** Otherwise timestamps are rounded to 0.07 ms, against pages that spy; most programs are shorter than that. */
const roundedTimestamps = 'timestamp_quantization';

/**
 * Workgroup memory begins as zeros. Left to Vulkan's own extension for that, SwiftShader compiles a store for every number
 * of it: a shader with 14 KiB takes 1.9 s of compilation instead of 0.3 s. Without it, Dawn writes a loop.
 */
const vulkanZeros = 'use_vulkan_zero_initialize_workgroup_memory_extension';

const without = (...features: string[]) => [`disable-dawn-features=${features.join(',')}`];

/** The machine's own driver first; the software driver only where that gives nothing. */
async function findAdapter(
  create: (flags: readonly string[]) => GPU,
  softwareDriver: BackendOptions['softwareDriver'],
): Promise<FoundAdapter> {
  if (instance !== undefined) {
    const again = await request(instance);
    if (again !== undefined) return again;
  }
  // Without a loader there is nothing to find, and Dawn would complain on stderr.
  if (hasVulkanLoader()) {
    const own = await request(create(without(roundedTimestamps)));
    if (own !== undefined) return own;
  }
  if (softwareDriver !== undefined) {
    useSoftwareDriver(await softwareDriver());
    const software = await request(create(without(roundedTimestamps, vulkanZeros)));
    if (software !== undefined) return software;
    throw new BackendError('webgpu', 'neither this machine nor the software driver gives a WebGPU adapter');
  }
  throw new BackendError(
    'webgpu',
    `this machine gives no WebGPU adapter${process.platform === 'linux' ? ' (on Linux it needs a Vulkan driver)' : ''}; ` +
      "use setupBackend('wasm')",
  );
}

async function request(gpu: GPU): Promise<FoundAdapter | undefined> {
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (adapter === null) return undefined;
  instance = gpu;
  return { gpu, adapter };
}

/** Node 20 has no `navigator` at all; later ones have one without `gpu`. */
function provideNavigatorGpu(gpu: GPU): void {
  if (globalThis.navigator === undefined) {
    Object.defineProperty(globalThis, 'navigator', { value: {}, configurable: true, writable: true });
  }
  Object.defineProperty(globalThis.navigator, 'gpu', { value: gpu, configurable: true });
}
