import { registerMissingGradients } from './gradients/index.ts';
import { registerCpuKernels } from './kernels/cpu/index.ts';

// What importing this package does, once: it gives tfjs the gradients that nobody registered, and the cpu backend the
// kernels of ours that it has (those of the others come with `@saccade/tensor-ops/wasm` and `/webgpu`).
registerMissingGradients();
registerCpuKernels();
