import { registerMissingKernels } from './kernels/index.ts';

// `import '@saccade/tensor-ops/wasm'`: gives tfjs' wasm backend the kernels that it lacks (training needs them) and faster
// ones for transformers. Apart from the main entry, so that who only runs a model, or runs it on a GPU, does not carry them.
registerMissingKernels();
