import type { Size } from '../clipCrops.ts';
import type { AffineMatrix } from './affine.ts';
import { rotationMatrix } from './affine.ts';
import { type Change, changedSize, type GeometricChange, isGeometric } from './changes.ts';

/** A rectangle in a picture, in pixels, edges at real numbers: COCO's `[x, y, w, h]` is `right = x + w`. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** What has become of a box. */
export interface ChangedBox {
  /** its position among the boxes that were given */
  readonly index: number;
  /** clipped to the picture */
  readonly box: Box;
  /** share of its area that is still in the picture, 0 to 1 */
  readonly visible: number;
}

/**
 * Boxes after the geometric ones of changes. A turned or sheared box becomes the smallest upright one around it.
 *
 * @param size of the picture before the changes
 * @param minVisible boxes with a smaller share in the picture are left out; default 0, which leaves out those outside
 */
export function changedBoxes(
  boxes: readonly Box[],
  size: Size,
  changes: readonly Change[],
  minVisible = 0,
): ChangedBox[] {
  return boxes.flatMap((box, index) => {
    let current: ChangedBox = { index, box, visible: 1 };
    let now = size;
    for (const change of changes.filter(isGeometric)) {
      const whole = movedBox(current.box, now, change);
      now = changedSize(now, [change]);
      const clipped = clip(whole, now);
      current = { index, box: clipped, visible: current.visible * share(clipped, whole) };
    }
    return current.visible > 0 && current.visible >= minVisible ? [current] : [];
  });
}

function movedBox({ left, top, right, bottom }: Box, size: Size, change: GeometricChange): Box {
  switch (change.kind) {
    case 'crop':
      return {
        left: left - change.left,
        top: top - change.top,
        right: right - change.left,
        bottom: bottom - change.top,
      };
    case 'resize': {
      const [x, y] = [change.width / size.width, change.height / size.height];
      return { left: left * x, top: top * y, right: right * x, bottom: bottom * y };
    }
    case 'flip':
      return { left: size.width - right, top, right: size.width - left, bottom };
    case 'affine':
      return around({ left, top, right, bottom }, change.matrix);
    case 'rotate':
      return around({ left, top, right, bottom }, rotationMatrix(size, change.degrees));
  }
}

/** The smallest upright box around a box that the inverse of `matrix` moves: the matrix leads from the result to the source. */
function around({ left, top, right, bottom }: Box, [a, b, c, d, e, f]: AffineMatrix): Box {
  const determinant = a * e - b * d;
  const corners = [left, right].flatMap((x) =>
    [top, bottom].map((y) => [(e * (x - c) - b * (y - f)) / determinant, (a * (y - f) - d * (x - c)) / determinant]),
  ) as [number, number][];
  const [xs, ys] = [corners.map(([x]) => x), corners.map(([, y]) => y)];
  return { left: Math.min(...xs), top: Math.min(...ys), right: Math.max(...xs), bottom: Math.max(...ys) };
}

function clip({ left, top, right, bottom }: Box, { width, height }: Size): Box {
  const within = (value: number, most: number) => Math.max(0, Math.min(most, value));
  return {
    left: within(left, width),
    top: within(top, height),
    right: within(right, width),
    bottom: within(bottom, height),
  };
}

function share(part: Box, whole: Box): number {
  const area = ({ left, top, right, bottom }: Box) => (right - left) * (bottom - top);
  return area(whole) > 0 ? area(part) / area(whole) : 0;
}
