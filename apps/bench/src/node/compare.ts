import type { Ratio, Row } from '../core/row.ts';
import type { DeviceLine, RunHeader, RunLine } from '../core/run.ts';
import { RunFileError } from '../files/RunFileError.ts';

/** What two runs are compared by. All of them were taken within one run: nothing depends on how fast a machine was. */
const GATES = ['timeRatio', 'cpuRatio', 'memoryRatio'] as const;

/** One ratio of one contender that is not what it was. */
export interface Change {
  readonly row: Row;
  readonly gate: (typeof GATES)[number];
  readonly before: Ratio;
  readonly after: Ratio;
  /** how many times as good as before, above 1, or as bad */
  readonly factor: number;
}

/** A contender whose row is there, with times, in one run only, or that has become wrong or failed. */
export interface StatusChange {
  readonly row: Row;
  readonly before: Row['status'] | 'not there';
  readonly after: Row['status'] | 'not there';
}

/** What has changed from one run to another. */
export interface RunComparison {
  /** why the two may have little to do with each other */
  readonly warnings: readonly string[];
  /** rows with a ratio in both, to the same baseline */
  readonly compared: number;
  readonly regressions: readonly Change[];
  readonly improvements: readonly Change[];
  /** newly wrong or failed */
  readonly broken: readonly StatusChange[];
  /** wrong or failed before */
  readonly mended: readonly StatusChange[];
  readonly vanished: readonly StatusChange[];
  readonly added: readonly StatusChange[];
}

/**
 * Compares two runs by ratios of the same run. A ratio has become worse or better when it changed by more than `threshold`
 * and its 95 % intervals do not overlap (peaks of memory have none: they are counted).
 *
 * Better is a lower ratio of ours, and a higher one of a peer's to ours. What peers are to peers is not judged.
 *
 * @param threshold `0.15`: 15 %
 * @throws RunFileError when a row is there twice
 */
export function compareRuns(before: readonly RunLine[], after: readonly RunLine[], threshold: number): RunComparison {
  const [old, now] = [indexOf(before, 'the first run'), indexOf(after, 'the second run')];
  const pairs = [...now].flatMap(([key, row]) => {
    const was = old.get(key);
    return was === undefined
      ? []
      : [{ was, row, direction: sameDirection(directionOf(was, old), directionOf(row, now)) }];
  });
  const comparable = pairs.filter(({ was, row }) => was.baseline === row.baseline && hasRatio(was) && hasRatio(row));
  const changes = comparable.flatMap(({ was, row, direction }) => changesOf(was, row, direction, threshold));
  const statuses = statusChanges(old, now);
  return {
    warnings: [...warningsOf(before, after), ...baselineWarning(pairs)],
    compared: comparable.length,
    regressions: changes.filter(({ worse }) => worse).map(({ change }) => change),
    improvements: changes.filter(({ worse }) => !worse).map(({ change }) => change),
    broken: statuses.filter(({ before, after }) => isBad(after) && !isBad(before)),
    mended: statuses.filter(({ before, after }) => isBad(before) && after === 'measured'),
    vanished: statuses.filter(({ before, after }) => before === 'measured' && after !== 'measured' && !isBad(after)),
    added: statuses.filter(({ before, after }) => after === 'measured' && before !== 'measured' && !isBad(before)),
  };
}

/** Anything that should stop a merge: something of ours has become slower, larger, wrong or broken. */
export function isRegression({ regressions, broken }: RunComparison): boolean {
  return regressions.length > 0 || broken.some(({ row }) => row.role === 'saccade');
}

/** Rows by what they are about. A GPU in software is another device than a GPU. */
function indexOf(lines: readonly RunLine[], which: string): ReadonlyMap<string, Row> {
  const rows = new Map<string, Row>();
  for (const line of lines) {
    if (line.kind !== 'row') continue;
    const key = keyOf(line, line.contender);
    if (rows.has(key)) {
      const { suite, comparison, contender, backend } = line;
      throw new RunFileError(
        `${which}: two rows of ${contender} in ${suite}/${comparison} on ${backend}; expected one`,
      );
    }
    rows.set(key, line);
  }
  return rows;
}

function keyOf({ suite, comparison, parameters, backend, softwareGpu }: Row, contender: string): string {
  const sorted = Object.entries(parameters).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([suite, comparison, sorted, backend, softwareGpu, contender]);
}

/** Whether a higher ratio is worse (1) or better (-1) for us, or says nothing about us (0). */
type Direction = 1 | 0 | -1;

function directionOf(row: Row, rows: ReadonlyMap<string, Row>): Direction {
  if (row.role === 'saccade') return 1;
  const baseline = row.baseline === undefined ? undefined : rows.get(keyOf(row, row.baseline));
  return baseline?.role === 'saccade' ? -1 : 0;
}

/** A contender that has changed sides says nothing about us. */
function sameDirection(before: Direction, after: Direction): Direction {
  return before === after ? after : 0;
}

function ratioOf(row: Row, gate: Change['gate']): Ratio | undefined {
  if (row.status !== 'measured') return undefined;
  if (gate !== 'memoryRatio') return row[gate];
  const { memoryRatio: value } = row;
  return value === undefined ? undefined : { value, interval: [value, value] };
}

/** The baseline's own ratio is 1 whatever happens. */
function hasRatio(row: Row): boolean {
  return row.contender !== row.baseline && GATES.some((gate) => ratioOf(row, gate) !== undefined);
}

function changesOf(was: Row, row: Row, direction: Direction, threshold: number): { worse: boolean; change: Change }[] {
  if (direction === 0) return [];
  return GATES.flatMap((gate) => {
    const [before, after] = [ratioOf(was, gate), ratioOf(row, gate)];
    if (before === undefined || after === undefined) return [];
    const [low, high] = before.value < after.value ? [before, after] : [after, before];
    const factor = high.value / low.value;
    // Also false for 0 / 0, of which nothing can be said.
    if (!(factor > 1 + threshold) || high.interval[0] <= low.interval[1]) return [];
    const worse = after === high ? direction === 1 : direction === -1;
    return [{ worse, change: { row, gate, before, after, factor } }];
  });
}

function statusChanges(old: ReadonlyMap<string, Row>, now: ReadonlyMap<string, Row>): StatusChange[] {
  const keys = [...new Set([...old.keys(), ...now.keys()])];
  return keys.flatMap((key) => {
    const [was, is] = [old.get(key), now.get(key)];
    const [before, after] = [was?.status ?? 'not there', is?.status ?? 'not there'] as const;
    return before === after ? [] : [{ row: (is ?? was) as Row, before, after }];
  });
}

function isBad(status: StatusChange['before']): boolean {
  return status === 'wrong' || status === 'failed';
}

function baselineWarning(pairs: readonly { readonly was: Row; readonly row: Row }[]): string[] {
  const other = pairs.filter(({ was, row }) => hasRatio(was) && hasRatio(row) && was.baseline !== row.baseline);
  const [first] = other;
  if (first === undefined) return [];
  const { was, row } = first;
  return [
    `${other.length} rows refer to another baseline than before and are not compared, such as ${row.suite}/${row.comparison}: ` +
      `${was.baseline ?? 'none'}, now ${row.baseline ?? 'none'}`,
  ];
}

function warningsOf(before: readonly RunLine[], after: readonly RunLine[]): string[] {
  const [a, b] = [aboutOf(before), aboutOf(after)];
  const differing = Object.keys(a).filter((name) => a[name] !== b[name]);
  return differing.map((name) => `not the same ${name}: ${a[name] || 'none'}, then ${b[name] || 'none'}`);
}

/** What two runs should have in common, so that their ratios can be expected to be alike. */
function aboutOf(lines: readonly RunLine[]): Readonly<Record<string, string>> {
  const { machine, home, scale, versions } = lines.find((line): line is RunHeader => line.kind === 'run') as RunHeader;
  const devices = lines.filter((line): line is DeviceLine => line.kind === 'device');
  const gpus = devices.filter(({ backend }) => backend.startsWith('webg'));
  const names = Object.entries(versions).sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    home,
    scale,
    processor: `${machine.processor}, ${machine.cores} cores`,
    backends: devices.map(({ backend }) => backend).join(', '),
    GPU: gpus.map(({ description, softwareGpu }) => `${description}${softwareGpu ? ' (software)' : ''}`).join(', '),
    versions: names.map(([name, version]) => `${name} ${version}`).join(', '),
  };
}
