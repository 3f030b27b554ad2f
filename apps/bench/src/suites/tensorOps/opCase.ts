import { product } from '@saccade/tensor-ops';
import type { Bench, PeerTask } from '../../core/comparison.ts';
import type { Direction, FunctionWork } from '../support/functionWork.ts';
import type { Input } from '../support/inputs.ts';

/** Stock TensorFlow.js: what the ratios refer to, where it has the operation or can compose it. */
export const STOCK = 'tfjs';
export const OURS = 'tensor-ops';
export const EXPLICIT = 'tensor-ops (explicit)';

/** One function at one size, by all who compute it; the first of `works` is the baseline. */
export interface OpCase {
  /** `layerNorm/197x384` */
  readonly name: string;
  readonly parameters: Readonly<Record<string, string | number>>;
  readonly directions: readonly Direction[];
  /** which of its directions `--quick` measures; default: none */
  readonly quick?: readonly Direction[];
  works(bench: Bench): readonly FunctionWork[];
  /** asked of peers, forward only */
  peerTask?(): PeerTask;
}

/**
 * Our function and, where the backend has a kernel of ours for it, the composition too that it then stands for: what the
 * kernel gains, and what its numbers are compared with.
 */
export function bothPaths(
  common: Omit<FunctionWork, 'name' | 'apply'>,
  apply: FunctionWork['apply'],
  hasKernel: boolean,
): readonly FunctionWork[] {
  if (!hasKernel) return [{ ...common, name: OURS, apply }];
  return [
    { ...common, name: OURS, apply, explicit: true },
    { ...common, name: EXPLICIT, apply, kernels: 'explicit' },
  ];
}

export const BOTH: readonly Direction[] = ['forward', 'forward+backward'];
export const FORWARD: readonly Direction[] = ['forward'];

/** A number of an input. */
export function at({ shape, values }: Input, ...index: readonly number[]): number {
  return values[index.reduce((position, i, axis) => position * (shape[axis] as number) + i, 0)] as number;
}

/** `sum` of `term(i)` for i in [0, count). */
export function sum(count: number, term: (i: number) => number): number {
  let total = 0;
  for (let i = 0; i < count; i++) total += term(i);
  return total;
}

/** `197x384x1536` */
export function sizesOf(...sizes: readonly number[]): string {
  return sizes.join('x');
}

/** The numbers of some inputs. */
export function parametersIn(...inputs: readonly Input[]): number {
  return inputs.reduce((total, { shape }) => total + product(shape), 0);
}
