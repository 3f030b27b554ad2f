import type { StateDict, StateTensor } from '@saccade/nn';
import { formatShape, product, ShapeError } from '@saccade/tensor-ops';
import { axisMatrices } from './resize.ts';
import { assertPadding, type LisaGrid, type LisaPadding } from './tables.ts';

/** Options of {@link resizeLisaTables}. */
export interface ResizeLisaTablesOptions {
  /** of the layers; their shapes do not show it; default `zero` */
  readonly padding?: LisaPadding;
}

/** Leading axes of each kind of table: heads, and patterns or channels. */
const LEADING: Readonly<Record<string, number>> = { rpe_p: 2, rpe_u: 2, rpe_r: 1, rpe_c: 2 };

/**
 * A state dict whose LiSA tables are those of a model for other grids:
 * `model.loadStateDict(resizeLisaTables(state, model.stateShapes()))`. Everything else passes unchanged.
 *
 * Tables (`rpe_p`, `rpe_u`, `rpe_c`, and without area factor the logarithms `rpe_r`) are brought to the grids that the
 * shapes of `target` are for, as {@link resizeTables} does it. For windows, and for stages of a backbone, every layer has
 * its own grid.
 *
 * @throws ShapeError for a table that is none, or is for a grid of other axes than the target's; ConfigError for a padding
 *   that does not exist
 */
export function resizeLisaTables(
  state: StateDict,
  target: ReadonlyMap<string, { readonly shape: readonly number[] }>,
  { padding = 'zero' }: ResizeLisaTablesOptions = {},
): Map<string, StateTensor> {
  assertPadding(padding);
  const resized = new Map<string, StateTensor>(state);
  for (const [name, tensor] of state) {
    const [kind, wanted] = [name.slice(name.lastIndexOf('.') + 1), target.get(name)?.shape];
    const leading = LEADING[kind];
    if (leading === undefined || wanted === undefined) continue;
    const [from, to] = [tensor.shape, wanted].map((shape) => gridOf(name, shape, leading, padding)) as [
      LisaGrid,
      LisaGrid,
    ];
    if (from.length !== to.length || tensor.data.length !== product(tensor.shape)) {
      throw new ShapeError({
        argument: name,
        expected: `a table for a grid of ${to.length} axes, as that of shape ${formatShape(wanted)}`,
        actual: `shape ${formatShape(tensor.shape)} and ${tensor.data.length} values`,
      });
    }
    if (from.every((size, axis) => size === to[axis])) continue;
    resized.set(name, resizeValues(tensor, leading, { from, to, padding, area: kind !== 'rpe_r' }));
  }
  return resized;
}

/** The grid of a table. */
function gridOf(name: string, shape: readonly number[], leading: number, padding: LisaPadding): LisaGrid {
  const offsets = shape.slice(leading);
  const possible = offsets.length >= 1 && offsets.length <= 3 && offsets.every((size) => size >= 1);
  if (!possible || (padding === 'zero' && offsets.some((size) => size % 2 === 0))) {
    throw new ShapeError({
      argument: name,
      expected: `${leading} leading axes, then ${padding === 'zero' ? '2S-1' : 'S'} entries for each of 1 to 3 axes`,
      actual: formatShape(shape),
      hint: 'The option `padding` is that of the layers.',
    });
  }
  return padding === 'zero' ? offsets.map((size) => (size + 1) / 2) : offsets;
}

function resizeValues(
  { shape, data }: StateTensor,
  leading: number,
  options: Parameters<typeof axisMatrices>[0],
): StateTensor {
  let values = Float64Array.from(data as ArrayLike<number>, Number);
  const sizes = [...shape];
  for (const [i, { rows, columns, weights }] of axisMatrices(options).entries()) {
    const axis = leading + i;
    const [before, after] = [product(sizes.slice(0, axis)), product(sizes.slice(axis + 1))];
    const next = new Float64Array(before * rows * after);
    for (let block = 0; block < before; block++) {
      for (let at = 0; at < rows * columns; at++) {
        const weight = weights[at] as number;
        if (weight === 0) continue;
        const [row, column] = [Math.floor(at / columns), at % columns];
        for (let inner = 0; inner < after; inner++) {
          const target = (block * rows + row) * after + inner;
          next[target] =
            (next[target] as number) + weight * (values[(block * columns + column) * after + inner] as number);
        }
      }
    }
    values = next;
    sizes[axis] = rows;
  }
  return { dtype: 'float32', shape: sizes, data: Float32Array.from(values) };
}
