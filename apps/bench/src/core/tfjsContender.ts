import { type KernelMode, kernelMode, setKernelMode } from '@saccade/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';
import type { Values } from './check.ts';
import type { Bench, Contender } from './comparison.ts';
import type { CheckResult, WorkCost } from './row.ts';

/** Work on the backend in use. */
export interface TfjsWork {
  readonly name: string;
  /** default `saccade` */
  readonly role?: 'saccade' | 'peer';
  /** Makes the result from tensors that are there; called inside of a tidy. */
  compute(): tf.Tensor | tf.Tensor[];
  /** who computes the operations that exist twice; default `auto` */
  readonly kernels?: KernelMode;
  /** Compares the numbers of a result. */
  check(values: Values): CheckResult | Promise<CheckResult>;
  readonly cost?: WorkCost;
  /** numbers that were moved to the device for this work, to be moved once more */
  readonly uploads?: readonly Float32Array[];
}

/** A contender that computes with TensorFlow.js on the backend in use. */
export function tfjsContender(bench: Bench, work: TfjsWork): Contender {
  const { name, role = 'saccade', kernels = 'auto', cost, uploads } = work;
  const compute = () => {
    const before = kernelMode();
    setKernelMode(kernels);
    try {
      const result = tf.tidy(() => work.compute());
      return Array.isArray(result) ? result : [result];
    } finally {
      setKernelMode(before);
    }
  };
  return {
    name,
    role,
    ...(cost && { cost }),
    async run() {
      const results = compute();
      try {
        await bench.settle();
      } finally {
        tf.dispose(results);
      }
    },
    async check() {
      const results = compute();
      const values = await Promise.all(results.map((tensor) => tensor.data()));
      tf.dispose(results);
      await bench.settle();
      return await work.check(values as Float32Array[]);
    },
    dispatch: () => tf.dispose(compute()),
    ...(uploads && {
      async upload() {
        const tensors = uploads.map((numbers) => tf.tensor1d(numbers));
        // tfjs moves numbers when a kernel first asks for them.
        const touched = tensors.map((tensor) => tf.neg(tensor));
        await bench.settle();
        tf.dispose([...tensors, ...touched]);
        return uploads.reduce((bytes, { byteLength }) => bytes + byteLength, 0);
      },
    }),
  };
}

/** The numbers of what `compute` makes on a path of its own, to compare others with. */
export async function valuesOf(compute: () => tf.Tensor | tf.Tensor[], kernels: KernelMode): Promise<Values> {
  const before = kernelMode();
  setKernelMode(kernels);
  let result: tf.Tensor | tf.Tensor[];
  try {
    result = tf.tidy(() => compute());
  } finally {
    setKernelMode(before);
  }
  const tensors = Array.isArray(result) ? result : [result];
  const values = await Promise.all(tensors.map((tensor) => tensor.data()));
  tf.dispose(tensors);
  return values as Float32Array[];
}
