import { checkSize, type Mask, maskError } from './rle.ts';

/** Outlines of the parts of an object: x and y in turn, in pixels from the upper left corner of the image. */
export type Polygons = readonly (readonly number[])[];

/** Parts of a pixel: coordinates are rounded to fifths. */
const FINE = 5;
/** Most steps along the outlines of one object: far more than any has, and a bound for what a file can ask for. */
const MAX_STEPS = 2 ** 26;

/**
 * Outlines out of an annotation: `[[x1, y1, x2, y2, ...], ...]`.
 *
 * @throws DatasetError `mask` for something else, or fewer than three points in a part
 */
export function parsePolygons(value: unknown, place: string): Polygons {
  if (!Array.isArray(value)) throw maskError(place, 'outlines as a list of lists of numbers', typeof value);
  return value.map((part: unknown, i) => {
    const good = Array.isArray(part) && part.every((x) => typeof x === 'number' && Number.isFinite(x));
    if (!good) throw maskError(`${place}[${i}]`, 'a list of finite numbers', typeof part);
    if (part.length < 6 || part.length % 2 !== 0) {
      throw maskError(`${place}[${i}]`, 'x and y of at least three points', `${part.length} numbers`);
    }
    return part as number[];
  });
}

/**
 * The pixels of an object that is given by outlines: the union of its parts, to the pixel as the COCO API fills them.
 *
 * The rule, for one part: its points are rounded to a grid of fifths of pixels, and its edges drawn on that grid, one point for each
 * step along the longer direction. Where the line goes from one fine column to the next, and the left one of the two is the middle
 * of a column of pixels, it crosses that column, at the upper one of the two fine heights; that pixel is the first whose centre is
 * not above. Going down a column, each crossing changes between outside and inside. (Crossings left and right of the image do not
 * count; above and below they count at its edge.)
 *
 * Source: inferred from the behaviour of `maskApi` of the COCO API, against which it is tested.
 *
 * @throws DatasetError `mask` for a size that is none, or coordinates so far outside that outlines have 2^26 fine steps
 */
export function polygonMask(
  polygons: Polygons,
  { height, width }: { readonly height: number; readonly width: number },
): Mask {
  checkSize(height, width, 'mask');
  const data = new Uint8Array(height * width);
  let steps = 0;
  for (const polygon of polygons) {
    // Toggles at heights 0 ... height of each column; one below the image changes nothing.
    const toggles = new Uint8Array((height + 1) * width);
    let before: FinePoint | undefined;
    for (const edge of edges(polygon)) {
      steps += Math.max(Math.abs(edge.x1 - edge.x0), Math.abs(edge.y1 - edge.y0));
      if (!(steps <= MAX_STEPS))
        throw maskError('outlines', `at most ${MAX_STEPS} steps of 1/${FINE} pixel`, `${steps}`);
      for (const point of pointsOf(edge)) {
        if (before !== undefined && before.x !== point.x) cross(before, point, toggles, height, width);
        before = point;
      }
    }
    // Down all columns at once: row by row, as the memory lies.
    const inside = new Uint8Array(width);
    for (let y = 0, place = 0; y < height; y++) {
      for (let x = 0; x < width; x++, place++) {
        inside[x]! ^= toggles[place] as number;
        data[place]! |= inside[x] as number;
      }
    }
  }
  return { height, width, data };
}

interface FinePoint {
  readonly x: number;
  readonly y: number;
}

interface Edge {
  readonly x0: number;
  readonly y0: number;
  readonly x1: number;
  readonly y1: number;
}

/** Edges between rounded points; the last leads back to the first. */
function* edges(polygon: readonly number[]): Generator<Edge> {
  const fine = (i: number) => Math.trunc(FINE * (polygon[i % polygon.length] as number) + 0.5);
  for (let i = 0; i < polygon.length; i += 2) yield { x0: fine(i), y0: fine(i + 1), x1: fine(i + 2), y1: fine(i + 3) };
}

/** An edge, step by step from its first point to its last; the position across is computed from the end with the smaller position. */
function* pointsOf({ x0, y0, x1, y1 }: Edge): Generator<FinePoint> {
  const [wide, tall] = [Math.abs(x1 - x0), Math.abs(y1 - y0)];
  const steps = Math.max(wide, tall);
  const across = wide >= tall;
  const backwards = across ? x0 > x1 : y0 > y1;
  const [startX, startY] = backwards ? [x1, y1] : [x0, y0];
  const [endX, endY] = backwards ? [x0, y0] : [x1, y1];
  const slope = steps === 0 ? 0 : (across ? endY - startY : endX - startX) / steps;
  for (let i = 0; i <= steps; i++) {
    const t = backwards ? steps - i : i;
    yield across
      ? { x: startX + t, y: Math.trunc(startY + slope * t + 0.5) }
      : { x: Math.trunc(startX + slope * t + 0.5), y: startY + t };
  }
}

function cross(from: FinePoint, to: FinePoint, toggles: Uint8Array, height: number, width: number): void {
  const column = (Math.min(from.x, to.x) + 0.5) / FINE - 0.5;
  if (!Number.isInteger(column) || column < 0 || column > width - 1) return;
  const row = Math.ceil(Math.min(height, Math.max(0, (Math.min(from.y, to.y) + 0.5) / FINE - 0.5)));
  toggles[row * width + column]! ^= 1;
}
