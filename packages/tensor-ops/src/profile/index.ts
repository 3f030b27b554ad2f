export { gpuTime } from './gpuTime.ts';
export { type MemoryPeak, peakMemory } from './peakMemory.ts';
export { settle } from './settle.ts';
