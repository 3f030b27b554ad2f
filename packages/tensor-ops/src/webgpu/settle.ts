import { submitPending, type WebGPUBackendInternals } from './backend.ts';
import { paced } from './pacing.ts';

/** Errors that a device reported and nobody has taken yet. */
const reported = new WeakMap<GPUDevice, string[]>();
const pacedDevices = new WeakSet<GPUDevice>();

/** Collects what `device` reports from now on; once for each device, however often it is asked for. */
export function collectErrors(device: GPUDevice): void {
  if (reported.has(device)) return;
  reported.set(device, []);
  device.addEventListener('uncapturederror', (event) => {
    event.preventDefault(); // It is collected here; nothing need print it.
    reported.get(device)?.push((event as unknown as { readonly error: GPUError }).error.message);
  });
}

/** Waits for this device are paced from now on: see {@link paced}. */
export function paceDevice(device: GPUDevice): void {
  pacedDevices.add(device);
}

/** Awaits a promise of a device: with pacing where the device needs it, which is in Node. */
export function awaitDevice<T>(device: GPUDevice, pending: Promise<T>): Promise<T> {
  return pacedDevices.has(device) ? paced(pending) : pending;
}

/** Hands over what is recorded and waits until the GPU has done it, without reading anything back. */
export async function finishDevice(backend: WebGPUBackendInternals): Promise<void> {
  submitPending(backend);
  await awaitDevice(backend.device, backend.device.queue.onSubmittedWorkDone() as Promise<unknown>);
}

/** What the device has reported since the last call; the list is then forgotten. */
export function takeErrors(device: GPUDevice): string[] {
  collectErrors(device);
  return reported.get(device)?.splice(0) ?? [];
}
