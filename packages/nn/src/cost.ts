/** What a layer costs, counted analytically for one sample in float32. */
export interface Cost {
  /** trained values */
  readonly params: number;
  /** multiply-accumulates of convolutions, Linear layers and attention products; no bias, norm or softmax */
  readonly macs: number;
  /** bytes of the intermediate results that exist at once at the most */
  readonly activationBytes: number;
}

/** Layers one after the other: parameters and MACs add, the largest activation counts. */
export function sequence(costs: readonly Cost[]): Cost {
  return costs.reduce(
    (total, cost) => ({
      params: total.params + cost.params,
      macs: total.macs + cost.macs,
      activationBytes: Math.max(total.activationBytes, cost.activationBytes),
    }),
    { params: 0, macs: 0, activationBytes: 0 },
  );
}

/** An affine map of `rows` rows. */
export function linearCost(rows: number, inputs: number, outputs: number, bias = true): Cost {
  return {
    params: inputs * outputs + (bias ? outputs : 0),
    macs: rows * inputs * outputs,
    activationBytes: 4 * rows * (inputs + outputs),
  };
}

/** A depthwise convolution with `taps` taps on maps of `positions` positions (of the output). */
export function depthwiseCost(positions: number, channels: number, taps: number, bias = true): Cost {
  return {
    params: channels * taps + (bias ? channels : 0),
    macs: positions * channels * taps,
    activationBytes: 8 * positions * channels,
  };
}

/** LayerNorm or BatchNorm: scale and shift of each channel. */
export function normCost(positions: number, channels: number): Cost {
  return { params: 2 * channels, macs: 0, activationBytes: 8 * positions * channels };
}

/** Between which maps a convolution stands. */
export interface ConvShape {
  readonly positions: { readonly input: number; readonly output: number };
  readonly channels: { readonly input: number; readonly output: number };
  /** positions of the kernel */
  readonly taps: number;
}

/** A convolution. */
export function convCost({ positions, channels, taps }: ConvShape, bias = false): Cost {
  return {
    params: taps * channels.input * channels.output + (bias ? channels.output : 0),
    macs: positions.output * taps * channels.input * channels.output,
    activationBytes: 4 * (positions.input * channels.input + positions.output * channels.output),
  };
}
