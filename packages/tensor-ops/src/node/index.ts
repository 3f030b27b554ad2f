export { BackendError } from '../backendError.ts';
export type { AdapterInfo, BackendInfo, BackendName, BackendOptions } from './backendInfo.ts';
export { setupBackend } from './setupBackend.ts';
export type { SoftwareDriver } from './vulkan.ts';
