import { compareValues, type Values } from '../../core/check.ts';
import type { Bench } from '../../core/comparison.ts';
import { type AskedPeers, askPeers, PEER_TOLERANCE } from '../support/peers.ts';
import { compareSamples, type Samples } from '../support/samples.ts';
import { CHANNELS, type OperatorPoint, type Tokens } from './point.ts';

/** What the results of peers are compared with: all numbers of plain attention [B, N, C], or some. */
export interface ExpectedAttention {
  readonly against: string;
  values?(): Promise<Values>;
  samples(): Samples;
}

/**
 * Asks peers for plain attention. They get queries, keys and values with the heads already apart, as their functions take
 * them, and so save what splitting and merging heads takes here.
 */
export function askAttentionPeers(
  bench: Bench,
  point: OperatorPoint,
  { q, k, v }: Tokens,
  macs: number,
  expected: ExpectedAttention,
): Promise<AskedPeers> {
  const { tokens, headDim, batch } = point;
  const shape = [batch, CHANNELS / headDim, tokens, headDim] as const;
  const apart = ({ values }: { readonly values: ArrayLike<number> }) => headsApart(values, point);
  const task = { kind: 'attention', shape, q: apart(q), k: apart(k), v: apart(v) } as const;
  return askPeers(bench, task, {
    cost: { params: 0, macs, bytes: 4 * 4 * batch * tokens * CHANNELS },
    async check(result) {
      const merged = headsMerged(result, point);
      if (expected.values === undefined) return compareSamples(merged, expected.samples(), PEER_TOLERANCE);
      return compareValues(expected.against, [merged], await expected.values(), PEER_TOLERANCE);
    },
  });
}

/** Numbers [B, N, C] as [B, h, N, d]. */
export function headsApart(values: ArrayLike<number>, point: OperatorPoint): Float32Array {
  const result = new Float32Array(values.length);
  eachNumber(point, (token, head) => {
    result[head] = values[token] as number;
  });
  return result;
}

/** Numbers [B, h, N, d] as [B, N, C]. */
export function headsMerged(values: ArrayLike<number>, point: OperatorPoint): Float32Array {
  const size = point.batch * point.tokens * CHANNELS;
  if (values.length !== size) throw new Error(`the result has ${values.length} numbers, attention has ${size}`);
  const result = new Float32Array(size);
  eachNumber(point, (token, head) => {
    result[token] = values[head] as number;
  });
  return result;
}

/** Where a number stands in [B, N, C], and where in [B, h, N, d]. */
function eachNumber({ tokens, headDim, batch }: OperatorPoint, visit: (token: number, head: number) => void): void {
  const heads = CHANNELS / headDim;
  let at = 0;
  for (let b = 0; b < batch; b++) {
    for (let n = 0; n < tokens; n++) {
      for (let h = 0; h < heads; h++) {
        const start = ((b * heads + h) * tokens + n) * headDim;
        for (let e = 0; e < headDim; e++) visit(at++, start + e);
      }
    }
  }
}
