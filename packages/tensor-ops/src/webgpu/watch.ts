import { replaceMember } from '../replaceMember.ts';
import { webgpuDevice } from './backend.ts';
import { trimBufferPool } from './memory.ts';

/** What a device was asked for while it was watched. */
export interface DeviceUse {
  /** most bytes of buffers that existed at once, beside those that were there before */
  readonly peakBytes: number;
  /** largest part of a buffer that a program was given, in bytes */
  readonly largestBinding: number;
}

/**
 * Watches what passes through the device of the webgpu backend in use: every buffer, whoever makes it, until it is
 * destroyed, and every binding. The backend's pool of free buffers is emptied first, so that what the pool would have
 * given counts too. Nothing may be pending on the device.
 *
 * @returns ends the watch and says what was used
 */
export function watchDevice(): () => DeviceUse {
  trimBufferPool();
  const device = webgpuDevice();
  const createBuffer = device.createBuffer.bind(device);
  const createBindGroup = device.createBindGroup.bind(device);
  /** of every buffer that was made here and is alive: takes the watch off it */
  const watched = new Map<GPUBuffer, () => void>();
  let [live, peakBytes, largestBinding] = [0, 0, 0];

  const restoreBuffers = replaceMember(device, 'createBuffer', (descriptor) => {
    const buffer = createBuffer(descriptor);
    live += buffer.size;
    peakBytes = Math.max(peakBytes, live);
    const restore = replaceMember(buffer, 'destroy', () => {
      live -= buffer.size;
      watched.delete(buffer);
      restore();
      return buffer.destroy();
    });
    watched.set(buffer, restore);
    return buffer;
  });
  const restoreBindings = replaceMember(device, 'createBindGroup', (descriptor) => {
    for (const { resource } of descriptor.entries) {
      if (!('buffer' in resource)) continue;
      const { buffer, offset = 0, size = buffer.size - offset } = resource;
      largestBinding = Math.max(largestBinding, size);
    }
    return createBindGroup(descriptor);
  });

  return () => {
    for (const restore of [restoreBuffers, restoreBindings, ...watched.values()]) restore();
    return { peakBytes, largestBinding };
  };
}
