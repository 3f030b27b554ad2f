import { type Cost, linearCost } from '@saccade/nn';
import type { Bench } from '../../core/comparison.ts';
import type { FunctionWork } from '../support/functionWork.ts';
import { type Maps, memoryLimits, tooLarge } from '../support/memory.ts';
import type { Samples } from '../support/samples.ts';
import { CHANNELS, type OperatorPoint, type Tokens } from './point.ts';

/** One operator between projections: of q, k, v [B, N, C] makes [B, N, C]. */
export interface OperatorWork extends FunctionWork {
  /** maps of queries by keys that exist at once; default: none */
  readonly maps?: Maps;
  /** how much longer a multiply-accumulate takes than in products that are meant for it; default 1 */
  readonly slowness?: number;
}

/** A form of an operator that cannot take part, and why. */
export interface OperatorAbsent {
  readonly name: string;
  readonly role: 'saccade';
  readonly reason: string;
}

/** Makes an operator in one or several forms. */
export type OperatorFactory = (
  point: OperatorPoint,
  tokens: Tokens,
  bench: Bench,
  /** plain attention in float64, for those that compute it */
  plainSamples: () => Samples,
) => readonly (OperatorWork | OperatorAbsent)[];

/** Parameters and multiply-accumulates of a layer without its projections, those for a whole batch. */
export function betweenProjections(layer: Cost, { tokens, batch }: OperatorPoint): { params: number; macs: number } {
  const [qkv, proj] = [linearCost(tokens, CHANNELS, 3 * CHANNELS), linearCost(tokens, CHANNELS, CHANNELS)];
  return { params: layer.params - qkv.params - proj.params, macs: batch * (layer.macs - qkv.macs - proj.macs) };
}

export function outputShape({ tokens, batch }: OperatorPoint): readonly number[] {
  return [batch, tokens, CHANNELS];
}

/** `count` maps of [B, h, N, N]. */
export function mapsOf({ tokens, headDim, batch }: OperatorPoint, count: number): Maps {
  return { bytes: 4 * batch * (CHANNELS / headDim) * tokens ** 2, count };
}

/** The most tokens for which a processor computes an explicit path only to compare with it: seconds at the most. */
const COMPARED_TOKENS = { full: 3136, quick: 784 } as const;

/** Whether a kernel's numbers can be compared with those of the explicit path, which needs `maps`. */
export function comparedWithExplicit({ tokens, batch }: OperatorPoint, bench: Bench, maps?: Maps): boolean {
  if (maps !== undefined && tooLarge(maps, memoryLimits(bench.backend)) !== undefined) return false;
  return bench.backend === 'webgpu' || tokens * batch <= COMPARED_TOKENS[bench.scale];
}
