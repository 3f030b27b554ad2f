import type { ClipCrop, Size } from '../clipCrops.ts';
import { ImageError } from '../errors.ts';
import { checkCount, checkView } from '../frames.ts';

/** One of the clips of a video that an evaluation averages over. */
export interface ClipView {
  /** temporal view, from 0 */
  readonly view: number;
  /** spatial crop, from 0: left or top, middle, right or bottom; the middle where there is one crop */
  readonly position: 0 | 1 | 2;
}

/**
 * The clips of an evaluation with `views` temporal views and `crops` spatial crops, in SlowFast's order: all crops of one
 * view, then the next. "10x3" of Kinetics is `(10, 3)`, "1x3" of Something-Something `(1, 3)`.
 *
 * Source: `_spatial_temporal_idx` in `slowfast/datasets/kinetics.py` of SlowFast (TEST.NUM_ENSEMBLE_VIEWS,
 * TEST.NUM_SPATIAL_CROPS).
 *
 * @throws ImageError InvalidOption for no views, or other crops than 1 or 3
 */
export function clipViews(views: number, crops: 1 | 3): ClipView[] {
  checkCount('views', views);
  if (crops !== 1 && crops !== 3) throw new ImageError('InvalidOption', `crops must be 1 or 3, got ${String(crops)}.`);
  const positions = crops === 1 ? ([1] as const) : ([0, 1, 2] as const);
  return Array.from({ length: views }, (_, view) => positions.map((position) => ({ view, position }))).flat();
}

/**
 * SlowFast's uniform crop: a square at one of three places along the longer side, the middle of the other.
 *
 * Middles are rounded up: `ceil((side - size)/2)`.
 * Source: `uniform_crop` in `slowfast/datasets/transform.py` of SlowFast.
 *
 * @throws ImageError InvalidOption for a square that does not fit, or another position
 */
export function uniformCrop({ width, height }: Size, size: number, position: 0 | 1 | 2): ClipCrop {
  checkCount('size', size);
  checkView('position', position, 3);
  if (size > width || size > height) {
    throw new ImageError('InvalidOption', `a crop of ${size} x ${size} does not fit into ${width} x ${height} pixels.`);
  }
  const place = (side: number, along: boolean) =>
    along && position !== 1 ? (position === 0 ? 0 : side - size) : Math.ceil((side - size) / 2);
  const [left, top] = [place(width, width >= height), place(height, height > width)];
  return { left, top, width: size, height: size, flip: false };
}
