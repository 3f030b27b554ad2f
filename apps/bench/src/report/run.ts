import type { Row } from '../core/row.ts';
import type { DeviceLine, RunHeader, RunLine, SlopeLine } from '../core/run.ts';

/** Lines of a run by their kinds. */
export interface Run {
  readonly header: RunHeader;
  readonly devices: readonly DeviceLine[];
  readonly rows: readonly Row[];
  readonly slopes: readonly SlopeLine[];
}

/** Lines that are not those of a run. */
export class RunLinesError extends Error {
  override readonly name = 'RunLinesError';
}

/** @throws {RunLinesError} if the first line is not the header, or if it is not the only one */
export function runOf(lines: readonly RunLine[]): Run {
  const [header, ...others] = lines;
  if (header?.kind !== 'run') {
    throw new RunLinesError(`lines: expected a header (kind "run") first, got ${header?.kind ?? 'no line at all'}`);
  }
  if (others.some(({ kind }) => kind === 'run')) {
    throw new RunLinesError('lines: expected one run, got several headers; give each run as a list of its own');
  }
  const ofKind = <K extends RunLine['kind']>(kind: K) =>
    others.filter((line): line is Extract<RunLine, { kind: K }> => line.kind === kind);
  return { header, devices: ofKind('device'), rows: ofKind('row'), slopes: ofKind('slope') };
}

/** Where something was computed, as far as reports keep things apart. */
export type PlaceKind = 'processor' | 'gpu' | 'software';

const GPU_BACKENDS: readonly string[] = ['webgpu', 'webgl'];

function placeOf({ backend, softwareGpu }: Pick<Row, 'backend' | 'softwareGpu'>): PlaceKind {
  if (softwareGpu) return 'software';
  return GPU_BACKENDS.includes(backend) ? 'gpu' : 'processor';
}

/** The part of a run that belongs to one kind of place. */
export function partOf({ header, devices, rows, slopes }: Run, kind: PlaceKind): Run {
  const here = (line: Pick<Row, 'backend' | 'softwareGpu'>) => placeOf(line) === kind;
  return { header, devices: devices.filter(here), rows: rows.filter(here), slopes: slopes.filter(here) };
}
