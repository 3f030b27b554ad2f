import * as tf from '@tensorflow/tfjs-core';
import { absoluteError, differingValues, relativeError, type Values } from './compare.ts';
import type { Golden } from './Golden.ts';
import type { Group, ToleranceOf } from './tolerances.ts';

/** One comparison. */
export interface Check {
  /** the golden tensor */
  readonly name: string;
  readonly group: Group;
  readonly error: number;
  readonly tolerance: number;
}

export function passes({ error, tolerance }: Check): boolean {
  return error <= tolerance;
}

const MEASURES = {
  forward: relativeError,
  gradients: relativeError,
  statistics: relativeError,
  absolute: absoluteError,
  exact: differingValues,
} as const;

/** Compares what a replay computed with what a golden file says, and keeps the score. */
export class Checks {
  readonly #golden: Golden;
  readonly #toleranceOf: ToleranceOf;
  readonly #all: Check[] = [];

  constructor(golden: Golden, toleranceOf: ToleranceOf) {
    this.#golden = golden;
    this.#toleranceOf = toleranceOf;
  }

  get all(): readonly Check[] {
    return this.#all;
  }

  /** Compares values with the golden tensor `name`; missing values fail. */
  values(group: keyof typeof MEASURES, name: string, actual: Values | undefined): void {
    const expected = this.#golden.get(name);
    this.add(group, name, actual ? MEASURES[group](actual, expected) : Number.POSITIVE_INFINITY);
  }

  /** Compares tensors with the golden tensors of their names, and disposes them. */
  async tensors(group: keyof typeof MEASURES, actual: Readonly<Record<string, tf.Tensor>>): Promise<void> {
    for (const [name, tensor] of Object.entries(actual)) {
      this.values(group, name, { shape: tensor.shape, data: await tensor.data() });
    }
    tf.dispose(Object.values(actual));
  }

  /** Compares by name with all golden tensors under `prefix`. */
  under(group: keyof typeof MEASURES, prefix: string, actual: ReadonlyMap<string, Values>): void {
    for (const name of this.#golden.names(prefix)) this.values(group, prefix + name, actual.get(name));
  }

  /** Keeps an error that was measured elsewhere; `tensor` is the name under which a manifest speaks of it. */
  add(group: Group, name: string, error: number, tensor = name): void {
    this.#all.push({ name, group, error, tolerance: this.#toleranceOf(tensor, group) });
  }
}
