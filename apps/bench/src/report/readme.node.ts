import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunHeader, RunLine } from '../core/run.ts';
import { readRun } from '../node/readRun.ts';
import { summaryTables } from './summary.ts';

const [BEGIN, END] = ['<!-- figures: begin -->', '<!-- figures: end -->'];

/** Names of the files of committed results, in order. */
export async function resultFiles(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  return names.filter((name) => name.endsWith('.jsonl')).sort();
}

/** The headline figures of every machine; a machine's runs of different suites are shown as one. */
export async function resultTables(folder: string): Promise<string> {
  const machines = new Map<string, { files: string[]; lines: RunLine[] }>();
  for (const name of await resultFiles(folder)) {
    const [header, ...lines] = (await readRun(join(folder, name))) as [RunHeader, ...RunLine[]];
    const title = machineText(header);
    const machine = machines.get(title) ?? { files: [], lines: [header] };
    machine.files.push(`[${name}](results/${name})`);
    machine.lines.push(...lines);
    machines.set(title, machine);
  }
  return [...machines]
    .flatMap(([title, { files, lines }]) => [`### ${title}`, `From ${files.join(', ')}.`, summaryTables(lines)])
    .join('\n\n');
}

/**
 * A README with these tables in place of what is between its markers.
 *
 * @throws {Error} if it does not have both markers
 */
export function withTables(readme: string, tables: string): string {
  const [begin, end] = [readme.indexOf(BEGIN), readme.indexOf(END)];
  if (begin < 0 || end < begin) {
    throw new Error(`the README has no place for the figures: expected the lines ${BEGIN} and ${END}`);
  }
  return `${readme.slice(0, begin + BEGIN.length)}\n\n${tables}\n\n${readme.slice(end)}`;
}

function machineText({ machine, home, date, scale }: RunHeader): string {
  const where = home === 'node' ? 'Node' : 'a browser';
  return `${machine.processor}, ${machine.cores} cores, ${where}, ${date.slice(0, 10)}${scale === 'quick' ? ', quick' : ''}`;
}
