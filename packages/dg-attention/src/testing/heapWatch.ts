import * as tf from '@tensorflow/tfjs-core';

/** What tfjs' wasm backend does with its heap. */
interface Heap {
  makeOutput(shape: readonly number[], dtype: tf.DataType): { readonly dataId: object };
  disposeData(dataId: object, force?: boolean): boolean;
}

/**
 * Counts the bytes of results and scratch on the heap of the wasm backend, whoever asked for them: also those inside of a
 * kernel, which `tf.memory()` does not see. Tensors made from numbers are not counted.
 */
export class HeapWatch {
  #live = 0;
  #peak = 0;

  constructor() {
    const heap = tf.backend() as unknown as Heap;
    const sizes = new Map<object, number>();
    const [makeOutput, disposeData] = [heap.makeOutput.bind(heap), heap.disposeData.bind(heap)];
    heap.makeOutput = (shape, dtype) => {
      const output = makeOutput(shape, dtype);
      const bytes = tf.util.sizeFromShape([...shape]) * tf.util.bytesPerElement(dtype);
      sizes.set(output.dataId, bytes);
      this.#live += bytes;
      this.#peak = Math.max(this.#peak, this.#live);
      return output;
    };
    heap.disposeData = (dataId, force) => {
      const freed = disposeData(dataId, force);
      if (freed) {
        this.#live -= sizes.get(dataId) ?? 0;
        sizes.delete(dataId);
      }
      return freed;
    };
  }

  /** The most bytes that existed at once while `action` ran, beside those that were there before. */
  peakOf(action: () => void): number {
    const before = this.#live;
    this.#peak = before;
    action();
    return this.#peak - before;
  }
}
