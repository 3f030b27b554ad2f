/** A square picture of coverage: 0 = nothing, 1 = full ink. */
export interface Sprite {
  readonly size: number;
  /** [size, size] */
  readonly coverage: Float32Array;
}

/** Side of the sprite that {@link scaleDigit} makes of a picture of `side` pixels. */
export function scaledSize(side: number, scale: number): number {
  return Math.ceil(side * scale);
}

/**
 * A digit at another scale, by a triangle filter whose support grows with the reduction (so nothing aliases).
 *
 * @param digit [side, side], 0 ... 255
 */
export function scaleDigit(digit: Uint8Array, side: number, scale: number): Sprite {
  const size = scaledSize(side, scale);
  const weights = resampling(side, size, scale);
  const rows = new Float32Array(size * side);
  for (let i = 0; i < size; i++) {
    for (const { from, weight } of weights[i] as Tap[]) {
      for (let x = 0; x < side; x++) rows[i * side + x]! += (weight * digit[from * side + x]!) / 255;
    }
  }
  const coverage = new Float32Array(size * size);
  for (let y = 0; y < size; y++) {
    for (let j = 0; j < size; j++) {
      for (const { from, weight } of weights[j] as Tap[]) coverage[y * size + j]! += weight * rows[y * side + from]!;
    }
  }
  return { size, coverage };
}

interface Tap {
  readonly from: number;
  readonly weight: number;
}

/** Which source pixels each target pixel sums. Both pictures share their centre. */
function resampling(side: number, size: number, scale: number): Tap[][] {
  const support = Math.max(1, 1 / scale);
  return Array.from({ length: size }, (_, target) => {
    const centre = (target + 0.5 - size / 2) / scale + side / 2 - 0.5;
    const taps: Tap[] = [];
    let total = 0;
    for (let from = Math.ceil(centre - support); from <= centre + support; from++) {
      const weight = 1 - Math.abs(from - centre) / support;
      total += weight;
      // Pixels outside count as empty: they take part in the sum of the weights only.
      if (from >= 0 && from < side && weight > 0) taps.push({ from, weight });
    }
    return taps.map((tap) => ({ from: tap.from, weight: tap.weight / total }));
  });
}

/**
 * Paints a sprite over a torus canvas: pixel <- pixel (1 - c) + brightness c, with c the sprite's coverage there.
 *
 * The place is exact to a fraction of a pixel (bilinear), and what leaves on one side comes in on the other.
 *
 * @param canvas [side, side], written in place
 * @param scratch [side, side], overwritten
 * @param y row of the sprite's centre, in pixels, any real number
 * @param x column of the sprite's centre
 */
export function paint(
  canvas: Float32Array,
  side: number,
  sprite: Sprite,
  y: number,
  x: number,
  brightness: number,
  scratch: Float32Array,
): void {
  const top = Math.floor(y - sprite.size / 2);
  const left = Math.floor(x - sprite.size / 2);
  const down = y - sprite.size / 2 - top;
  const right = x - sprite.size / 2 - left;
  scratch.fill(0);
  for (let i = 0; i < sprite.size; i++) {
    const row = wrap(top + i, side) * side;
    const next = wrap(top + i + 1, side) * side;
    for (let j = 0; j < sprite.size; j++) {
      const ink = sprite.coverage[i * sprite.size + j]!;
      if (ink === 0) continue;
      const column = wrap(left + j, side);
      const after = wrap(left + j + 1, side);
      scratch[row + column]! += ink * (1 - down) * (1 - right);
      scratch[row + after]! += ink * (1 - down) * right;
      scratch[next + column]! += ink * down * (1 - right);
      scratch[next + after]! += ink * down * right;
    }
  }
  for (let pixel = 0; pixel < canvas.length; pixel++) {
    const cover = scratch[pixel]!;
    canvas[pixel] = canvas[pixel]! * (1 - cover) + brightness * cover;
  }
}

/** `value` modulo `side`, in [0, side) also for negative values. */
function wrap(value: number, side: number): number {
  const rest = value % side;
  return rest < 0 ? rest + side : rest;
}
