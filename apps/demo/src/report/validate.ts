import type { DemoReport, GalleryClip } from './types.ts';

/** The data of a report do not fit together. */
export class ReportError extends Error {
  override readonly name = 'ReportError';

  constructor(argument: string, expected: string, actual: unknown) {
    super(`${argument}: expected ${expected}, got ${actual}.`);
  }
}

/** @throws {ReportError} naming the first field whose size does not follow from the others */
export function checkReport({ task, models, gallery }: DemoReport): void {
  const classes = task.classes.length;
  if (classes < 2) throw new ReportError('task.classes', 'at least two names', classes);
  models.forEach(({ confusion, training }, model) => {
    const name = `models[${model}]`;
    size(`${name}.confusion`, confusion, classes * classes, `${classes} x ${classes} counts`);
    if (confusion.every((count) => count === 0)) throw new ReportError(`${name}.confusion`, 'evaluated clips', 'none');
    for (const field of ['loss', 'accuracy'] as const) {
      const series = training?.[field];
      if (series) size(`${name}.training.${field}.value`, series.value, series.step.length, 'one value for each step');
    }
  });
  gallery.forEach((clip, index) => {
    checkClip(clip, `gallery[${index}]`, classes);
  });
}

function checkClip({ frames, label, probabilities, maps }: GalleryClip, name: string, classes: number): void {
  const { count, height, width, pixels } = frames;
  size(`${name}.frames.pixels`, pixels, count * height * width, `${count} x ${height} x ${width} pixels`);
  if (!Number.isInteger(label) || label < 0 || label >= classes) {
    throw new ReportError(`${name}.label`, `an integer from 0 to ${classes - 1}`, label);
  }
  probabilities.forEach((values, model) => {
    size(`${name}.probabilities[${model}]`, values, classes, `${classes} probabilities`);
  });
  maps?.forEach(({ grid, query, weights }, map) => {
    const { time, rows, columns } = grid;
    size(`${name}.maps[${map}].weights`, weights, time * rows * columns, `${time} x ${rows} x ${columns} weights`);
    if (count % time !== 0)
      throw new ReportError(`${name}.maps[${map}].grid.time`, `a divisor of ${count} frames`, time);
    const inside = query.time < time && query.row < rows && query.column < columns;
    if (!inside || Math.min(query.time, query.row, query.column) < 0) {
      throw new ReportError(`${name}.maps[${map}].query`, 'a token of the grid', JSON.stringify(query));
    }
  });
}

function size(argument: string, values: ArrayLike<number>, length: number, expected: string): void {
  if (values.length !== length) throw new ReportError(argument, expected, values.length);
}
