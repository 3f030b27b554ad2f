export { webgpuDevice } from './backend.ts';
export { trimBufferPool, type WebGPUMemory, webgpuMemory } from './memory.ts';
export { runWebGPUProgram, type WebGPUProgram, type WebGPUUniform } from './program.ts';
