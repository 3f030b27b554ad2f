import * as tf from '@tensorflow/tfjs-core';

/** What a kernel needs of tfjs' `BackendWasm`. */
export interface WasmBackend {
  /** Allocates a tensor on the wasm heap; its memory is not cleared. May grow the heap, which detaches older views. */
  makeOutput(shape: readonly number[], dtype: tf.DataType): tf.TensorInfo;
  /** The tensor's memory itself, not a copy: valid until the next allocation. */
  typedArrayFromHeap(tensor: tf.TensorInfo): Float32Array | Int32Array | Uint8Array;
  /** Where the tensor's memory begins, in bytes. */
  getMemoryOffset(dataId: tf.DataId): number;
  disposeData(dataId: tf.DataId): boolean;
}

/** What tfjs passes to a kernel, with the names that its inputs really have. */
export interface KernelCall<Input extends string, Attributes> {
  readonly inputs: Record<Input, tf.TensorInfo>;
  readonly attrs: Attributes;
  readonly backend: WasmBackend;
}

/** A kernel of the wasm backend, with types where tfjs has none. */
export function wasmKernel<Input extends string, Attributes>(
  kernelName: string,
  compute: (call: KernelCall<Input, Attributes>) => tf.TensorInfo,
): tf.KernelConfig {
  return { kernelName, backendName: 'wasm', kernelFunc: compute as unknown as tf.KernelFunc };
}

/** Runs another kernel of the wasm backend, which its package has registered by the time any kernel runs. */
export function runKernel(
  backend: WasmBackend,
  kernelName: string,
  inputs: Record<string, tf.TensorInfo>,
  attrs: tf.NamedAttrMap,
): tf.TensorInfo {
  return tf.getKernel(kernelName, 'wasm').kernelFunc({ inputs, attrs, backend }) as tf.TensorInfo;
}

/** Where a tensor lies in the backend's memory, in bytes; good until it is disposed. */
export function memoryOffset(backend: WasmBackend, tensor: tf.TensorInfo): number {
  return backend.getMemoryOffset(tensor.dataId);
}

export function floats(backend: WasmBackend, tensor: tf.TensorInfo): Float32Array {
  return backend.typedArrayFromHeap(tensor) as Float32Array;
}

/**
 * The output positions [from, to) at which one tap of a filter reads inside of the input, along one axis: those `o` with
 * `0 <= o * stride + offset < inputSize`, where `offset = tap * dilation - padding`.
 */
export function reach(offset: number, stride: number, inputSize: number, outputSize: number): [number, number] {
  const from = Math.max(0, Math.ceil(-offset / stride));
  const to = Math.min(outputSize, Math.ceil((inputSize - offset) / stride));
  return [from, Math.max(from, to)];
}
