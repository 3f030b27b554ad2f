import type { Cost } from '@saccade/nn';
import { linearCost } from '@saccade/nn';
import type { Bench } from '../../core/comparison.ts';
import type { FunctionWork } from '../support/functionWork.ts';
import type { Maps } from '../support/memory.ts';
import { CHANNELS, type OperatorPoint, type Tokens } from './point.ts';

/** One operator between projections: of q, k, v [B, N, C] makes [B, N, C]. */
export interface OperatorWork extends FunctionWork {
  /** maps of queries by keys that it needs; default: none */
  readonly maps?: Maps;
  /** how much longer a multiply-accumulate takes than in the products that are meant for it; default 1 */
  readonly slowness?: number;
}

/** Somebody who cannot take part at a point, and why. */
export interface OperatorAbsent {
  readonly name: string;
  readonly role: 'saccade';
  readonly reason: string;
}

/** What an operator is asked for: itself in one or several forms. */
export type OperatorFactory = (
  point: OperatorPoint,
  tokens: Tokens,
  bench: Bench,
) => readonly (OperatorWork | OperatorAbsent)[];

/** Parameters and multiply-accumulates of a layer without its projections q, k, v and output; for a whole batch. */
export function betweenProjections(layer: Cost, { tokens, batch }: OperatorPoint): Required<Pick<OperatorWork, 'macs' | 'params'>> {
  const [qkv, proj] = [linearCost(tokens, CHANNELS, 3 * CHANNELS), linearCost(tokens, CHANNELS, CHANNELS)];
  return { params: layer.params - qkv.params - proj.params, macs: batch * (layer.macs - qkv.macs - proj.macs) };
}

export function outputShape({ tokens, batch }: OperatorPoint): readonly number[] {
  return [batch, tokens, CHANNELS];
}
