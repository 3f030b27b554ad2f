import { Rng } from '@saccade/tensor-ops';
import type { SuitePlace } from '../../core/comparison.ts';
import type { Direction } from '../support/functionWork.ts';
import { type Input, normalInput } from '../support/inputs.ts';

/** C of all tokens: 3 heads of 64 channels (those of DeiT-Ti), or 6 of 32. */
export const CHANNELS = 192;

/** The sizes of one comparison. */
export interface OperatorPoint {
  readonly tokens: number;
  readonly headDim: 32 | 64;
  readonly batch: 1 | 8;
  readonly direction: Direction;
}

/** Where the tokens lie: on an image, which whole 7 x 7 windows tile, and, for gates of clips, on T frames of H x W. */
interface Lattice {
  readonly image: readonly [height: number, width: number];
  readonly clip: readonly [frames: number, height: number, width: number];
}

/**
 * 1568 tokens are an image of 28 x 56 for all operators on images, as it is the one rectangle of whole windows; on the
 * clips of 8 frames they are 8 x 14 x 14. The clips of fewer than 784 tokens have fewer frames, since 49 and 196 are not
 * multiples of 8.
 */
const LATTICES: Readonly<Record<number, Lattice>> = {
  49: { image: [7, 7], clip: [1, 7, 7] },
  196: { image: [14, 14], clip: [4, 7, 7] },
  784: { image: [28, 28], clip: [8, 7, 14] },
  1568: { image: [28, 56], clip: [8, 14, 14] },
  3136: { image: [56, 56], clip: [8, 14, 28] },
  12544: { image: [112, 112], clip: [8, 28, 56] },
};

export function latticeOf(tokens: number): Lattice {
  const lattice = LATTICES[tokens];
  if (lattice === undefined) throw new Error(`there is no lattice of ${tokens} tokens`);
  return lattice;
}

/** Queries, keys and values of a point, [B, N, C] each. */
export interface Tokens {
  readonly q: Input;
  readonly k: Input;
  readonly v: Input;
}

/**
 * Normal numbers. Keys are multiples of 1/16, so that products with centroids, which have as few digits, are exact in
 * float32: which keys fit a centroid best is then the same question on every path, and ties are ties on all of them.
 */
export function tokensOf({ tokens, batch }: OperatorPoint): Tokens {
  const shape = [batch, tokens, CHANNELS];
  const k = normalInput('k', shape);
  return {
    q: normalInput('q', shape),
    k: { ...k, values: rounded(k.values as Float32Array, 16) },
    v: normalInput('v', shape),
  };
}

/** Each number as the nearest multiple of 1 / `steps`. */
export function rounded(values: Float32Array, steps: number): Float32Array {
  return values.map((value) => Math.round(value * steps) / steps);
}

/** Tokens whose results are computed in float64: the first and the last of the batch, and some between. */
export function sampledTokens({ tokens, batch }: OperatorPoint): readonly (readonly [sample: number, token: number])[] {
  const rng = new Rng(5);
  return [
    [0, 0],
    [0, rng.int(1, tokens - 2)],
    [batch - 1, rng.int(1, tokens - 2)],
    [batch - 1, tokens - 1],
  ];
}

export function pointId({ tokens, headDim, batch, direction }: OperatorPoint): string {
  return `attention/n${tokens}-d${headDim}-b${batch}/${direction.replace('+', '-')}`;
}

/** The most tokens where a processor computes in plain JavaScript, or pretends to be a GPU. */
const SLOW_LIMIT = 196;
/** The most tokens of eight samples on wasm, which works on one after the other: beyond, only the time grows. */
const WASM_BATCH_LIMIT = 1568;

/** The points that a place measures, those with the least work first. */
export function pointsOf({ backend, softwareGpu, scale }: SuitePlace): readonly OperatorPoint[] {
  const slow = softwareGpu || backend === 'cpu';
  if (scale === 'quick') return slow ? SLOW_QUICK : QUICK;
  const points = Object.keys(LATTICES).flatMap((tokens) =>
    ([32, 64] as const).flatMap((headDim) =>
      ([1, 8] as const).flatMap((batch) =>
        (['forward', 'forward+backward'] as const).map(
          (direction): OperatorPoint => ({ tokens: Number(tokens), headDim, batch, direction }),
        ),
      ),
    ),
  );
  const most = (batch: number) => {
    if (slow) return batch === 1 ? SLOW_LIMIT : 0;
    return backend === 'wasm' && batch > 1 ? WASM_BATCH_LIMIT : Number.POSITIVE_INFINITY;
  };
  const work = ({ tokens, batch, direction }: OperatorPoint) => tokens ** 2 * batch * (direction === 'forward' ? 1 : 3);
  return points.filter(({ tokens, batch }) => tokens <= most(batch)).sort((a, b) => work(a) - work(b));
}

const SLOW_QUICK: readonly OperatorPoint[] = [{ tokens: 49, headDim: 64, batch: 1, direction: 'forward' }];
const QUICK: readonly OperatorPoint[] = [
  { tokens: 196, headDim: 64, batch: 1, direction: 'forward' },
  { tokens: 196, headDim: 64, batch: 1, direction: 'forward+backward' },
  { tokens: 784, headDim: 64, batch: 1, direction: 'forward' },
  { tokens: 784, headDim: 32, batch: 1, direction: 'forward' },
  { tokens: 1568, headDim: 64, batch: 1, direction: 'forward' },
  { tokens: 784, headDim: 64, batch: 1, direction: 'forward+backward' },
  { tokens: 3136, headDim: 64, batch: 1, direction: 'forward' },
];
