import { readFile } from 'node:fs/promises';
import { csvFormat, csvParse } from 'd3-dsv';
import type { RunResult } from './runSetting.ts';
import { STUDY_TASKS, type StudyTask } from './tasks.ts';
import { writeWhole } from './writeWhole.ts';

/** A file of results that cannot be used; the message is for the person at the terminal. */
export class ResultsFileError extends Error {}

const NUMBERS = ['seed', 'steps', 'params', 'macs', 'samples', 'correct', 'finalLoss', 'seconds'] as const;
const COLUMNS: readonly (keyof RunResult)[] = ['setting', 'seed', 'task', ...NUMBERS.slice(1)];

/** Rows as CSV, with a heading. */
export function formatRuns(runs: readonly RunResult[]): string {
  return `${csvFormat(runs, COLUMNS)}\n`;
}

/**
 * Reads what {@link formatRuns} wrote.
 *
 * @param name of the file, for messages
 * @throws ResultsFileError for other columns, or values that are not what their column holds
 */
export function parseRuns(text: string, name: string): RunResult[] {
  const rows = csvParse(text.trimEnd());
  if (rows.columns.join() !== COLUMNS.join()) {
    throw new ResultsFileError(`${name}: expected the columns ${COLUMNS.join()}, got ${rows.columns.join()}.`);
  }
  return rows.map((row, i) => {
    const wrong = (column: string, expected: string) =>
      new ResultsFileError(`${name}, row ${i + 1}: expected ${expected} as ${column}, got "${row[column] ?? ''}".`);
    const numbers = NUMBERS.map((column) => {
      const value = Number(row[column]);
      if (!row[column]?.trim() || !Number.isFinite(value)) throw wrong(column, 'a number');
      return [column, value] as const;
    });
    if (!row.setting) throw wrong('setting', 'the id of a setting');
    if (!STUDY_TASKS.includes(row.task as StudyTask)) throw wrong('task', `one of ${STUDY_TASKS.join(', ')}`);
    const fields = { setting: row.setting, task: row.task, ...Object.fromEntries(numbers) };
    return fields as unknown as RunResult;
  });
}

/** The runs of a file; none if there is no file. */
export async function readRuns(path: string): Promise<RunResult[]> {
  try {
    return parseRuns(await readFile(path, 'utf8'), path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** Puts the runs into a file. */
export function writeRuns(path: string, runs: readonly RunResult[]): Promise<void> {
  return writeWhole(path, formatRuns(runs));
}
