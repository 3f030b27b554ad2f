import { ImageError } from '../errors.ts';
import type { ColorChange } from './changes.ts';
import { permuted } from './draws.ts';
import type { RandomTransform } from './geometry.ts';

/** Options of {@link colorJitter}: how far each may go; default 0, which leaves it alone. */
export interface ColorJitterOptions {
  /** factor from `max(0, 1 - b)` to `1 + b` */
  readonly brightness?: number;
  readonly contrast?: number;
  readonly saturation?: number;
  /** shift from -hue to hue of a full circle, at most 0.5 */
  readonly hue?: number;
}

/**
 * Brightness, contrast, saturation and hue changed by random amounts, in a random order. timm's `color_jitter=0.4` is 0.4 for
 * the first three.
 *
 * Source: torchvision's `ColorJitter`.
 *
 * @throws ImageError InvalidOption for values that cannot be
 */
export function colorJitter(options: ColorJitterOptions): RandomTransform {
  const { brightness = 0, contrast = 0, saturation = 0, hue = 0 } = options;
  const factors = { brightness, contrast, saturation };
  for (const [name, value] of Object.entries({ ...factors, hue })) {
    if (Number.isFinite(value) && value >= 0 && (name !== 'hue' || value <= 0.5)) continue;
    const most = name === 'hue' ? ' and <= 0.5' : '';
    throw new ImageError('InvalidOption', `${name} must be a number >= 0${most}, got ${String(value)}.`);
  }
  const kinds = (['brightness', 'contrast', 'saturation', 'hue'] as const).filter(
    (kind) => ({ ...factors, hue })[kind] > 0,
  );
  return (random) =>
    permuted(random, kinds).map((kind): ColorChange => {
      if (kind === 'hue') return { kind, value: random.uniform(-hue, hue) };
      return { kind, value: random.uniform(Math.max(0, 1 - factors[kind]), 1 + factors[kind]) };
    });
}
