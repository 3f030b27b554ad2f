/** Our kernel for products of batches of matrices, registered for the wasm backend by `@saccade/tensor-ops/wasm`. */
export const BATCH_MAT_MUL = 'SaccadeBatchMatMul';

/**
 * Our fused softmax attention, registered for the webgpu backend by `@saccade/tensor-ops/webgpu`: of `[q, ...keys,
 * ...values]` gives the output and the logarithms of the sums of exponentials.
 */
export const ATTENTION = 'SaccadeAttention';

/** The largest e and f that it takes: beyond, the sums of a block of queries no longer fit into registers. */
export const ATTENTION_HEAD_LIMIT = 128;

/** Its gradient: of `[dy, output, logarithms, q, ...keys, ...values]` gives those of q, keys and values. */
export const ATTENTION_GRAD = 'SaccadeAttentionGrad';

/** Our kernel for `depthwiseTokens`, with a gradient registered, on webgpu by `@saccade/tensor-ops/webgpu`. */
export const DEPTHWISE_TOKENS = 'SaccadeDepthwiseTokens';

/** Our kernels for the temporal shift and for the gradient of max pools, for wasm and webgpu. */
export const TEMPORAL_SHIFT = 'SaccadeTemporalShift';
export const MAX_POOL_GRAD = 'SaccadeMaxPoolGrad';

/** Our kernels for the pooled gates of Attention-in-Attention, registered by `@saccade/tensor-ops/wasm` and `/webgpu`. */
export const MAX_MEAN = 'SaccadeMaxMean';
export const MAX_MEAN_GRAD = 'SaccadeMaxMeanGrad';
export const PLANE_CONV3D = 'SaccadePlaneConv3d';
export const PLANE_CONV3D_FILTER = 'SaccadePlaneConv3dBackpropFilter';
export const AXIS_GATES = 'SaccadeAxisGates';
export const AXIS_GATES_GRAD = 'SaccadeAxisGatesGrad';

/** Our kernels for training-mode batch normalisation, registered for wasm by `@saccade/tensor-ops/wasm`. */
export const COLUMN_MOMENTS = 'SaccadeColumnMoments';
export const BATCH_NORM = 'SaccadeBatchNorm';
export const BATCH_NORM_GRAD = 'SaccadeBatchNormGrad';

/** Our kernels for GELU and layer normalisation, registered for wasm by `@saccade/tensor-ops/wasm`. */
export const GELU = 'SaccadeGelu';
export const GELU_GRAD = 'SaccadeGeluGrad';
export const LAYER_NORM = 'SaccadeLayerNorm';

/**
 * Our kernel for `dynamicGroups`: of `{q, k, centroids}` [B, h, N, d], [B, h, L, d], [h, G, d] and the attributes `topK`,
 * `assign` and `normalizeKeys` gives `[assignment, keys]`, int32 [B, h, N] and [B, h, G, min(topK, L)].
 */
export const DYNAMIC_GROUPS = 'SaccadeDynamicGroups';

/**
 * Our kernel for `groupedAttention`: of `[q, k, v, assignment, keys]` (shapes as above) and the attribute `scale` gives
 * `[output, ...kept]`, of which `kept` is for the gradient alone, and each backend's own affair.
 */
export const GROUPED_ATTENTION = 'SaccadeGroupedAttention';

/** Its gradient: of `[dy, q, k, v, assignment, keys, output, ...kept]` gives those of q, k and v. */
export const GROUPED_ATTENTION_GRAD = 'SaccadeGroupedAttentionGrad';

/**
 * Our kernels for correlations with tables as large as the grid, by fast Fourier transforms; attributes `grid`, `padding`
 * and, for the first two, `perChannel`. Of `{x, table}`, `{dy, x, table}`, `{q, k, v, P, U}` and `{dy, q, k, v, P, U}`.
 */
export const GRID_CORRELATION = 'SaccadeGridCorrelation';
export const GRID_CORRELATION_GRAD = 'SaccadeGridCorrelationGrad';
export const STRUCTURE_CORRELATION = 'SaccadeStructureCorrelation';
export const STRUCTURE_CORRELATION_GRAD = 'SaccadeStructureCorrelationGrad';

/**
 * Our kernel for fast Fourier transforms of columns, on webgpu: of `{re, im?}` and the attributes `length`, `frequencies`,
 * `count`, `from` and `inverse` gives `[re, im]`.
 */
export const FOURIER_LINES = 'SaccadeFourierLines';

/** The longest transform that it takes: what a workgroup's memory has room for. */
export const FOURIER_LINE_LIMIT = 2048;
