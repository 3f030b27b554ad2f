import type { Grid } from '@saccade/nn';
import { structAttention, structSelfAttentionCost } from '@saccade/structsa';
import { product, Rng } from '@saccade/tensor-ops';
import type * as tf from '@tensorflow/tfjs-core';
import type { Absent, Comparison, SuitePlace } from '../../core/comparison.ts';
import { attend } from '../operators/reference.ts';
import { type Direction, type FunctionWork, functionContender } from '../support/functionWork.ts';
import { type Input, InputTensors, normalInput } from '../support/inputs.ts';
import { once, type Samples, samples } from '../support/samples.ts';

/** Stage 3 of StructViT-S-4-1. */
const STAGE = { channels: 320, heads: 5, detectors: 4 } as const;

/** What the kernels are compared with. */
const EXPLICIT = 'StructSA (explicit)';

/** The kernels of StructSA beside the explicit path, on pictures of 224 pixels and on clips of 16 frames of them. */
export function structComparisons({ backend, softwareGpu, scale }: SuitePlace): Comparison[] {
  // Elsewhere there are no such kernels; on the processor, 20 runs of the smallest take minutes.
  if (backend !== 'webgpu' || (softwareGpu && scale === 'quick')) return [];
  const directions: readonly Direction[] = ['forward', 'forward+backward'];
  const grids: readonly Grid[] = [
    [14, 14],
    [8, 14, 14],
  ];
  const all = grids.flatMap((grid) => directions.map((direction) => structComparison(grid, direction)));
  return scale === 'quick' ? all.slice(0, 2) : all;
}

export function structComparison(grid: Grid, direction: Direction, stage: StructStage = STAGE): Comparison {
  const { channels, heads, detectors } = stage;
  return {
    suite: 'figures',
    id: `structsa/${grid.join('x')}/${direction.replace('+', '-')}`,
    parameters: { grid: grid.join('x'), channels, heads, detectors, direction },
    async prepare(bench) {
      const store = new InputTensors();
      const work = structWork(grid, stage);
      const large = product(grid) > PICTURE || direction !== 'forward';
      const names = ['StructSA (fused)', EXPLICIT];
      if (bench.softwareGpu && large) {
        return { contenders: [], absent: names.map(tooSlow), dispose() {} };
      }
      const contender = (name: string, kernels: 'fused' | 'explicit') =>
        // The explicit path on the processor takes as long as the budget: the float64 of some tokens has to do.
        functionContender(bench, store, { ...work, name, kernels, explicit: !bench.softwareGpu }, direction);
      return {
        contenders: [contender(names[0] as string, 'fused'), contender(EXPLICIT, 'explicit')],
        baseline: EXPLICIT,
        dispose: () => store.dispose(),
      };
    },
  };
}

/** Sizes of the operator. */
export interface StructStage {
  readonly channels: number;
  readonly heads: number;
  readonly detectors: number;
}

/** Tokens of the picture, whose forward pass a processor can do in seconds. */
const PICTURE = 14 * 14;

const tooSlow = (name: string): Absent => ({
  name,
  role: 'saccade',
  reason: 'one run takes 10 to 130 s on a driver that is a processor',
  status: 'skipped',
});

function structWork(grid: Grid, stage: StructStage): Omit<FunctionWork, 'name'> {
  const { channels, heads, detectors } = stage;
  const tokens = product(grid);
  const kernel = grid.map(() => 3);
  const filter = (name: string) =>
    normalInput(name, [...kernel, channels, detectors], { std: product(kernel) ** -0.5 });
  const [q, k, v] = ['q', 'k', 'v'].map((name) => normalInput(name, [1, tokens, channels]));
  const inputs = [q, k, v, filter('convK'), filter('convV')] as FunctionWork['inputs'];
  const { macs } = structSelfAttentionCost({
    ...{ dim: channels, heads, grid, detectors, stride: 1 },
    ...{ kernelK: kernel, kernelV: kernel },
  });
  return {
    inputs,
    outputShape: [1, tokens, channels],
    apply([q, k, v, convK, convV]) {
      const filters = [convK as tf.Tensor4D, convV as tf.Tensor4D] as const;
      return structAttention(q as tf.Tensor3D, k as tf.Tensor3D, v as tf.Tensor3D, ...filters, { grid, heads });
    },
    samples: once(() => structSamples(grid, stage, inputs)),
    // Without the four projections of C x C.
    macs: macs - 4 * tokens * channels ** 2,
  };
}

/**
 * The definition: attention over D N keys and values, `K'[j, d] = sum over taps of convK[tap, c, d] k[j + tap, c]`, zeros
 * beyond the borders, and V' likewise; for two tokens.
 */
function structSamples(
  grid: Grid,
  { channels, heads, detectors }: StructStage,
  inputs: FunctionWork['inputs'],
): Samples {
  type Five = readonly [q: Input, k: Input, v: Input, convK: Input, convV: Input];
  const [q, k, v, convK, convV] = inputs as unknown as Five;
  const tokens = product(grid);
  const size = channels / heads;
  const places = [0, new Rng(5).int(1, tokens - 1)];
  const neighbours = Array.from({ length: tokens }, (_, token) => tapsOf(grid, token));
  const convolved = (x: ArrayLike<number>, filter: ArrayLike<number>, head: number) =>
    Array.from({ length: detectors * tokens }, (_, entry) => {
      const d = Math.floor(entry / tokens);
      const sum = new Float64Array(size);
      for (const { tap, from } of neighbours[entry % tokens] as readonly Tap[]) {
        for (let e = 0; e < size; e++) {
          const channel = head * size + e;
          const weight = filter[(tap * channels + channel) * detectors + d] as number;
          sum[e] = (sum[e] as number) + weight * (x[from * channels + channel] as number);
        }
      }
      return sum;
    });
  const found = Array.from({ length: heads }, (_, head) => {
    const [keys, values] = [convolved(k.values, convK.values, head), convolved(v.values, convV.values, head)];
    return places.flatMap((token) => {
      const start = token * channels + head * size;
      const query = Float64Array.from({ length: size }, (_, e) => q.values[start + e] as number);
      return [...attend(query, keys, values)].map((value, e) => [start + e, value] as const);
    });
  });
  return samples(`${places.length} tokens`, found.flat());
}

interface Tap {
  readonly tap: number;
  /** the token that the tap meets */
  readonly from: number;
}

/** The taps of a filter of 3 along each axis that meet a token of the grid, around one of its tokens. */
function tapsOf(grid: Grid, token: number): Tap[] {
  let met: Tap[] = [{ tap: 0, from: 0 }];
  let stride = product(grid);
  let rest = token;
  for (const length of grid) {
    stride /= length;
    const place = Math.floor(rest / stride);
    rest %= stride;
    met = met.flatMap(({ tap, from }) =>
      [-1, 0, 1]
        .filter((step) => place + step >= 0 && place + step < length)
        .map((step) => ({ tap: 3 * tap + step + 1, from: from * length + place + step })),
    );
  }
  return met;
}
