import { constants } from 'node:os';
import { isMainThread } from 'node:worker_threads';
import { BackendError } from '../backendError.ts';

/** A Vulkan driver that runs on the processor. */
export interface SoftwareDriver {
  /** Path of the driver's manifest (JSON). */
  readonly icd: string;
  /** Path of a Vulkan loader, `libvulkan.so.1`. */
  readonly library: string;
}

/** Keeps a library loaded for good; Node has no name for it. */
const RTLD_NODELETE = 0x1000;

/** Whether a Vulkan loader is there for Dawn, which looks for `libvulkan.so.1` when it makes its first adapter. */
export function hasVulkanLoader(): boolean {
  return process.platform !== 'linux' || loadLibrary('libvulkan.so.1') === undefined;
}

/**
 * Makes Dawn use a driver that is not installed, without another process.
 *
 * The loader reads `VK_DRIVER_FILES` (older: `VK_ICD_FILENAMES`) when an instance is made, so setting it here is early
 * enough. `LD_LIBRARY_PATH`, by which Dawn would find the loader itself, is read when a process starts, so that is too
 * late; but a library that is already loaded is found by its name, and `process.dlopen` loads it.
 *
 * @throws {BackendError} in a worker thread (its environment variables are a copy that no native library sees), and when
 *   the loader cannot be loaded.
 */
export function useSoftwareDriver({ icd, library }: SoftwareDriver): void {
  if (!isMainThread) {
    throw new BackendError('webgpu', 'a software driver can be set up in the main thread only, not in a worker');
  }
  process.env.VK_DRIVER_FILES = icd;
  process.env.VK_ICD_FILENAMES = icd;
  if (hasVulkanLoader()) return;
  const problem = loadLibrary(library);
  if (problem !== undefined) throw new BackendError('webgpu', `cannot load the Vulkan loader ${library}: ${problem}`);
}

/** Loads a native library for everybody in this process; returns what went wrong, if anything. */
function loadLibrary(path: string): string | undefined {
  const { RTLD_NOW, RTLD_GLOBAL } = constants.dlopen as { RTLD_NOW: number; RTLD_GLOBAL: number };
  try {
    process.dlopen({ exports: {} }, path, RTLD_NOW | RTLD_GLOBAL | RTLD_NODELETE);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    // Node expects an addon of its own. The library is loaded all the same by the time Node finds that it is none.
    return message.includes('did not self-register') ? undefined : message;
  }
  return undefined;
}
