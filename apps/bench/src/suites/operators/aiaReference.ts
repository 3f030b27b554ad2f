import { type Samples, samples } from '../support/samples.ts';
import { CHANNELS, latticeOf, type OperatorPoint, sampledTokens } from './point.ts';

// The gates of Attention-in-Attention by their definitions, in float64, and only as much of them as is asked for.

/** A position [t, h, w, c] of a clip. */
type Position = readonly [t: number, h: number, w: number, c: number];
type Features = (at: Position) => number;

/** Channels whose gates are computed, in each sampled token. */
const SAMPLED_CHANNELS = [0, 1, 95, 191];

/** `CinST(X) = X g_ST(X g_C(X))`, `STinC(X) = X g_C(X g_ST(X))`, `g_ST = (g_T + g_H + g_W) / 3`, in some values. */
export function aiaSamples(
  point: OperatorPoint,
  operator: 'CinST' | 'STinC',
  values: ArrayLike<number>,
  [channel, time, height, width]: readonly ArrayLike<number>[],
): Samples {
  const extents = [...latticeOf(point.tokens).clip, CHANNELS] as const;
  const found = sampledTokens(point).flatMap(([sample, token]) => {
    const x: Features = ([t, h, w, c]) =>
      values[(((sample * extents[0] + t) * extents[1] + h) * extents[2] + w) * CHANNELS + c] as number;
    const channelGate = (z: Features) => gate(z, 3, channel as ArrayLike<number>, extents);
    const spaceTimeGate = (z: Features): Features => {
      const gates = [time, height, width].map((filter, axis) => gate(z, axis, filter as ArrayLike<number>, extents));
      return (at) => gates.reduce((sum, own) => sum + own(at), 0) / 3;
    };
    const product = (a: Features, b: Features) => remembered((at: Position) => a(at) * b(at), extents);
    const outer =
      operator === 'CinST' ? spaceTimeGate(product(x, channelGate(x))) : channelGate(product(x, spaceTimeGate(x)));
    const [, rows, columns] = extents;
    const place = [Math.floor(token / (rows * columns)), Math.floor(token / columns) % rows, token % columns] as const;
    return SAMPLED_CHANNELS.map((c) => {
      const at: Position = [...place, c];
      return [(sample * point.tokens + token) * CHANNELS + c, x(at) * outer(at)] as const;
    });
  });
  return samples(`${found.length} values`, found);
}

/**
 * A gate, constant along `axis`: `sigmoid(conv3x3x3([max over axis; mean over axis]))`, zeros beyond the borders; the
 * filter [3, 3, 3, 2, 1] slides over the axes that stay, in their order.
 */
function gate(z: Features, axis: number, filter: ArrayLike<number>, extents: readonly number[]): Features {
  const stay = [0, 1, 2, 3].filter((other) => other !== axis);
  const pooled = remembered((at: Position): readonly [max: number, mean: number] => {
    let [largest, sum] = [Number.NEGATIVE_INFINITY, 0];
    for (let i = 0; i < (extents[axis] as number); i++) {
      const value = z(at.with(axis, i) as unknown as Position);
      largest = Math.max(largest, value);
      sum += value;
    }
    return [largest, sum / (extents[axis] as number)];
  }, extents);
  return remembered(
    (position: Position) => {
      const at = position.with(axis, 0);
      let sum = 0;
      for (let tap = 0; tap < 27; tap++) {
        const steps = [Math.floor(tap / 9) - 1, (Math.floor(tap / 3) % 3) - 1, (tap % 3) - 1];
        const near = stay.reduce(
          (moved, other, i) => moved.with(other, (at[other] as number) + (steps[i] as number)),
          at,
        );
        if (near.some((index, other) => index < 0 || index >= (extents[other] as number))) continue;
        const [max, mean] = pooled(near as unknown as Position);
        sum += (filter[2 * tap] as number) * max + (filter[2 * tap + 1] as number) * mean;
      }
      return 1 / (1 + Math.exp(-sum));
    },
    extents,
    axis,
  );
}

/** The same function, which computes each position once; `constant` is an axis along which it does not change. */
function remembered<T>(
  compute: (at: Position) => T,
  extents: readonly number[],
  constant?: number,
): (at: Position) => T {
  const known = new Map<number, T>();
  return (at) => {
    const key = at.reduce((index, i, axis) => index * (extents[axis] as number) + (axis === constant ? 0 : i), 0);
    const value = known.get(key) ?? compute(at);
    known.set(key, value);
    return value;
  };
}
