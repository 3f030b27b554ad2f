/** Our kernel for products of batches of matrices, registered for the wasm backend by `@saccade/tensor-ops/wasm`. */
export const BATCH_MAT_MUL = 'SaccadeBatchMatMul';
