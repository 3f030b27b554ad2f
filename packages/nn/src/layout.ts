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
  const strides = shape.map((_, axis) => product(shape.slice(axis + 1)));
  const sizes = order.map((axis) => shape[axis] as number);
  const steps = order.map((axis) => strides[axis] as number);
  const out = new Float32Array(values.length);
  const index = sizes.map(() => 0);
  let source = 0;
  for (let target = 0; target < out.length; target++) {
    out[target] = values[source] as number;
    for (let axis = sizes.length - 1; axis >= 0; axis--) {
      source += steps[axis] as number;
      index[axis] = (index[axis] as number) + 1;
      if ((index[axis] as number) < (sizes[axis] as number)) break;
      source -= (steps[axis] as number) * (sizes[axis] as number);
      index[axis] = 0;
    }
  }
  return out;
}
