import { product } from '@saccade/tensor-ops';

/**
 * How a weight lies in memory here and in a PyTorch state dict. Ours is `permute(view(torch), order)`.
 *
 * The layer that owns a weight names its layout; nobody else converts.
 */
export interface WeightLayout {
  /** The shape that PyTorch gives the weight, from our shape. */
  torchShape(shape: readonly number[]): number[];
  /** The shape as which PyTorch's values are read before they are permuted. */
  view(shape: readonly number[]): number[];
  /** Axis `order[i]` of the view becomes our axis i. */
  order(rank: number): number[];
}

const range = (length: number) => Array.from({ length }, (_, i) => i);

/** Vectors and everything else that both sides store alike. */
export const identityLayout: WeightLayout = {
  torchShape: (shape) => [...shape],
  view: (shape) => [...shape],
  order: (rank) => range(rank),
};

/** Ours [I, O]; PyTorch `Linear` [O, I]. */
export const linearLayout: WeightLayout = {
  torchShape: ([inputs, outputs]) => [outputs as number, inputs as number],
  view: ([inputs, outputs]) => [outputs as number, inputs as number],
  order: () => [1, 0],
};

/** Ours [I, O]; PyTorch 1x1 convolution [O, I, 1, 1] (`dimensions` = 2) or [O, I, 1, 1, 1] (3). */
export function pointwiseLayout(dimensions: 2 | 3): WeightLayout {
  return {
    ...linearLayout,
    torchShape: ([inputs, outputs]) => [outputs as number, inputs as number, ...range(dimensions).map(() => 1)],
  };
}

/** Ours [...k, I, O]; PyTorch convolution [O, I, ...k]. */
export const convLayout: WeightLayout = {
  torchShape: (shape) => [shape.at(-1) as number, shape.at(-2) as number, ...shape.slice(0, -2)],
  view: (shape) => convLayout.torchShape(shape),
  order: (rank) => [...range(rank - 2).map((axis) => axis + 2), 1, 0],
};

/** Ours [...k, C, M]; PyTorch depthwise convolution [C*M, 1, ...k], output channel c*M + m. */
export const depthwiseLayout: WeightLayout = {
  torchShape: (shape) => [(shape.at(-2) as number) * (shape.at(-1) as number), 1, ...shape.slice(0, -2)],
  view: (shape) => [shape.at(-2) as number, shape.at(-1) as number, ...shape.slice(0, -2)],
  order: (rank) => [...range(rank - 2).map((axis) => axis + 2), 0, 1],
};

/** Values in PyTorch's order -> values in ours, for a weight of our `shape`. */
export function fromTorch(layout: WeightLayout, shape: readonly number[], values: ArrayLike<number>): Float32Array {
  return permute(values, layout.view(shape), layout.order(shape.length));
}

/** Values in our order -> values in PyTorch's. */
export function toTorch(layout: WeightLayout, shape: readonly number[], values: ArrayLike<number>): Float32Array {
  const order = layout.order(shape.length);
  const inverse = order.map((_, axis) => order.indexOf(axis));
  return permute(values, shape, inverse);
}

/** Transposes a dense row-major array: axis `order[i]` of the source becomes axis i of the result. */
function permute(values: ArrayLike<number>, shape: readonly number[], order: readonly number[]): Float32Array {
  const axes = mergedAxes(shape, order);
  // The innermost axis has a loop of its own: millions of values pass through it.
  const { size: count, step } = axes.pop() ?? { size: 1, step: 1 };
  const out = new Float32Array(values.length);
  const index = axes.map(() => 0);
  let source = 0;
  for (let target = 0; target < out.length; target += count) {
    for (let i = 0; i < count; i++) out[target + i] = values[source + i * step] as number;
    for (let axis = axes.length - 1; axis >= 0; axis--) {
      const { size, step } = axes[axis] as Axis;
      source += step;
      index[axis] = (index[axis] as number) + 1;
      if ((index[axis] as number) < size) break;
      source -= step * size;
      index[axis] = 0;
    }
  }
  return out;
}

/** An axis of the result: its length, and the distance of neighbours in the source. */
interface Axis {
  readonly size: number;
  readonly step: number;
}

/** The axes of the result without those of length 1; neighbours that also are neighbours in the source count as one. */
function mergedAxes(shape: readonly number[], order: readonly number[]): Axis[] {
  const merged: Axis[] = [];
  for (const axis of order) {
    const size = shape[axis] as number;
    if (size === 1) continue;
    const step = product(shape.slice(axis + 1));
    const last = merged.at(-1);
    if (last !== undefined && last.step === step * size) merged[merged.length - 1] = { size: last.size * size, step };
    else merged.push({ size, step });
  }
  return merged;
}
