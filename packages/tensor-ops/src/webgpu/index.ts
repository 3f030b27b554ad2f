import { registerWebGPUKernels } from '../kernels/webgpu/index.ts';

export { webgpuDevice } from './backend.ts';
export { trimBufferPool, type WebGPUMemory, webgpuMemory } from './memory.ts';
export {
  type MultiOutputProgram,
  runMultiOutputProgram,
  runWebGPUProgram,
  type WebGPUOutput,
  type WebGPUProgram,
  type WebGPUUniform,
} from './program.ts';
export { isSoftwareAdapter } from './software.ts';

// `import '@saccade/tensor-ops/webgpu'` gives tfjs' webgpu backend our fused kernels. Apart from the main entry, so that
// who runs elsewhere does not carry them.
registerWebGPUKernels();
