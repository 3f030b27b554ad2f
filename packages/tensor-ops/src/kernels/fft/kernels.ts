import type * as tf from '@tensorflow/tfjs-core';
import { type GridPadding, gridProblem } from '../../gridCorrelationProblem.ts';
import { product } from '../../shape.ts';
import {
  GRID_CORRELATION,
  GRID_CORRELATION_GRAD,
  STRUCTURE_CORRELATION,
  STRUCTURE_CORRELATION_GRAD,
} from '../names.ts';
import { correlationBackward, correlationForward } from './correlation.ts';
import { fftPlan } from './plan.ts';
import type { FftMachine } from './primitives.ts';
import { type FftSizes, structureBackward, structureForward } from './structure.ts';
import { fftTransforms } from './transforms.ts';

/** Attributes of the kernels of correlation. */
interface CorrelationAttributes {
  readonly grid: readonly number[];
  readonly padding: GridPadding;
  /** the table has an entry for each channel, and no patterns */
  readonly perChannel?: boolean;
}

/**
 * Gives a backend's inputs and new outputs a place in the memory of a machine, lets `compute` run there, and returns the
 * outputs.
 */
export type RunOnMachine = (
  backend: unknown,
  inputs: readonly tf.TensorInfo[],
  outputs: readonly (readonly number[])[],
  compute: (machine: FftMachine, inputs: readonly number[], outputs: readonly number[]) => void,
) => tf.TensorInfo[];

type Five = readonly [number, number, number, number, number];

/** The kernels of `gridCorrelation` and `structureCorrelation` for a backend. */
export function fftKernels(backendName: string, run: RunOnMachine): tf.KernelConfig[] {
  const kernel = (
    kernelName: string,
    compute: (
      inputs: Readonly<Record<string, tf.TensorInfo>>,
      attributes: CorrelationAttributes,
      backend: unknown,
    ) => tf.TensorInfo[],
  ): tf.KernelConfig => ({
    kernelName,
    backendName,
    kernelFunc: ({ inputs, attrs, backend }) => {
      const results = compute(inputs as Record<string, tf.TensorInfo>, attrs as unknown as CorrelationAttributes, backend); // biome-ignore format: one call
      return results.length === 1 ? (results[0] as tf.TensorInfo) : results;
    },
  });
  return [
    kernel(GRID_CORRELATION, (inputs, attributes, backend) => {
      const [x, table] = pick(inputs, 'x', 'table');
      const sizes = sizesOf(x.shape, table.shape, attributes);
      const wide = attributes.perChannel === true;
      const { batch, channels, heads, patterns, tokens } = sizes;
      const shape = wide ? x.shape : [batch, heads, patterns, tokens, channels];
      return run(backend, [x, table], [shape], (machine, places, results) => {
        const [y] = results as [number];
        correlationForward(transforms(attributes, machine), sizes, wide, places as unknown as [number, number], y);
      });
    }),
    kernel(GRID_CORRELATION_GRAD, (inputs, attributes, backend) => {
      const [dy, x, table] = pick(inputs, 'dy', 'x', 'table');
      const sizes = sizesOf(x.shape, table.shape, attributes);
      return run(backend, [dy, x, table], [x.shape, table.shape], (machine, places, results) => {
        const wide = attributes.perChannel === true;
        const [from, to] = [places as unknown as [number, number, number], results as unknown as [number, number]];
        correlationBackward(transforms(attributes, machine), sizes, wide, from, to);
      });
    }),
    kernel(STRUCTURE_CORRELATION, (inputs, attributes, backend) => {
      const tensors = pick(inputs, 'q', 'k', 'v', 'P', 'U');
      const sizes = sizesOf(tensors[0].shape, tensors[3].shape, attributes);
      return run(backend, tensors, [tensors[0].shape], (machine, places, [y]) => {
        structureForward(transforms(attributes, machine), sizes, places as unknown as Five, y as number);
      });
    }),
    kernel(STRUCTURE_CORRELATION_GRAD, (inputs, attributes, backend) => {
      const [dy, ...tensors] = pick(inputs, 'dy', 'q', 'k', 'v', 'P', 'U');
      const sizes = sizesOf(tensors[0].shape, tensors[3].shape, attributes);
      const shapes = tensors.map(({ shape }) => shape);
      return run(backend, [dy, ...tensors], shapes, (machine, [slope, ...places], results) => {
        const from = places as unknown as Five;
        structureBackward(transforms(attributes, machine), sizes, slope as number, from, results as unknown as Five);
      });
    }),
  ];
}

function transforms(attributes: CorrelationAttributes, machine: FftMachine) {
  return fftTransforms(fftPlan(gridProblem(attributes)), machine);
}

function pick<Names extends readonly string[]>(
  inputs: Readonly<Record<string, tf.TensorInfo>>,
  ...names: Names
): { [K in keyof Names]: tf.TensorInfo } {
  return names.map((name) => inputs[name]) as { [K in keyof Names]: tf.TensorInfo };
}

function sizesOf(x: readonly number[], table: readonly number[], { grid, padding }: CorrelationAttributes): FftSizes {
  const [batch, heads, tokens, channels] = x as [number, number, number, number];
  const entries = product(gridProblem({ grid, padding }).offsets);
  return { batch, heads, patterns: table[1] as number, channels, tokens, entries };
}
