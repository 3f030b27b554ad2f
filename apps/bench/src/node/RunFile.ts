import { closeSync, mkdirSync, openSync, renameSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Row } from '../core/row.ts';
import type { DeviceLine, RunHeader, RunLine } from '../core/run.ts';
import { rowsCsv } from '../files/csv.ts';
import { runSlug } from '../files/slug.ts';

/** The files of one run. */
export interface RunFiles {
  readonly jsonl: string;
  readonly csv: string;
  /** where a report of it belongs */
  readonly html: string;
}

/**
 * A run in the making, as JSON lines. Each line is on the disk as soon as it is known; the file gets its name, which says
 * what was measured with, at the end.
 */
export class RunFile {
  readonly #folder: string;
  readonly #path: string;
  #file: number | undefined;

  /** @param folder made with the first line */
  constructor(folder: string, began = new Date()) {
    this.#folder = folder;
    const stamp = began.toISOString().replace(/[-:]|\.\d+/g, '');
    this.#path = join(folder, `unfinished-${stamp}-${process.pid}.jsonl`);
  }

  /** The lines so far, as long as the run has no name; nothing before the first line. */
  get unfinished(): string | undefined {
    return this.#file === undefined ? undefined : this.#path;
  }

  add(line: RunLine): void {
    if (this.#file === undefined) mkdirSync(this.#folder, { recursive: true });
    this.#file ??= openSync(this.#path, 'w');
    writeSync(this.#file, `${JSON.stringify(line)}\n`);
  }

  /** Gives the file its name and writes the rows as CSV beside it. Files of an earlier run of that name are replaced. */
  finish(lines: readonly RunLine[]): RunFiles {
    if (this.#file === undefined) throw new Error('a run without lines has no file');
    closeSync(this.#file);
    const header = lines.find((line): line is RunHeader => line.kind === 'run') as RunHeader;
    const devices = lines.filter((line): line is DeviceLine => line.kind === 'device');
    const rows = lines.filter((line): line is Row => line.kind === 'row');
    const base = join(this.#folder, runSlug(header, devices));
    const files = { jsonl: `${base}.jsonl`, csv: `${base}.csv`, html: `${base}.html` };
    renameSync(this.#path, files.jsonl);
    writeFileSync(files.csv, rowsCsv(rows));
    this.#file = undefined;
    return files;
  }
}
