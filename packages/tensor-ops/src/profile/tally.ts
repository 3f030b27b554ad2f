import * as tf from '@tensorflow/tfjs-core';

/** Counts bytes that come and go, from zero. */
export class Tally {
  #live = 0;
  #peak = 0;

  add(bytes: number): void {
    this.#live += bytes;
    this.#peak = Math.max(this.#peak, this.#live);
  }

  /** Also for what was there before the count began. */
  remove(bytes: number): void {
    this.#live -= bytes;
  }

  get peak(): number {
    return this.#peak;
  }
}

/** Bytes of an array of numbers. Strings lie elsewhere; complex numbers are two arrays of their own. */
export function bytesOf({ shape, dtype }: { readonly shape: readonly number[]; readonly dtype: tf.DataType }): number {
  if (dtype === 'string' || dtype === 'complex64') return 0;
  return tf.util.sizeFromShape([...shape]) * tf.util.bytesPerElement(dtype);
}
