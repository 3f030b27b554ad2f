import type { Row } from '../core/row.ts';
import type { DeviceLine, RunHeader, RunLine } from '../core/run.ts';
import { rowsCsv } from '../files/csv.ts';
import { parseRun } from '../files/parseRun.ts';
import { runSlug } from '../files/slug.ts';
import { byId, make } from './dom.ts';
import type { Results } from './results.ts';

/** Largest file that is opened, in bytes; a full run with all of its samples has some megabytes. */
const LARGEST = 64 * 2 ** 20;

/** Makes the buttons work with which results leave the page, and files of earlier ones come in. */
export function offerFiles(results: Results): void {
  byId('download-json', HTMLButtonElement).addEventListener('click', () => {
    const text = results.lines.map((line) => `${JSON.stringify(line)}\n`).join('');
    download(`${nameOf(results.lines)}.jsonl`, 'application/x-ndjson', text);
  });
  byId('download-csv', HTMLButtonElement).addEventListener('click', () => {
    download(`${nameOf(results.lines)}.csv`, 'text/csv', rowsCsv(results.lines.filter(isRow)));
  });
  const input = byId('open', HTMLInputElement);
  const opened = byId('opened', HTMLElement);
  input.addEventListener('change', async () => {
    const file = input.files?.[0];
    if (file === undefined) return;
    opened.textContent = await open(file, results).catch((error: unknown) => {
      return `${file.name} was not opened: ${error instanceof Error ? error.message : String(error)}`;
    });
    // The same file may have changed when it is chosen again.
    input.value = '';
  });
}

/**
 * Shows a file alone where there is nothing else, or its ratios beside those of the run that is shown.
 *
 * @returns what has been done, in a sentence
 */
async function open(file: File, results: Results): Promise<string> {
  if (file.size > LARGEST) throw new Error(`it has ${file.size} bytes, more than any file of results`);
  const lines = parseRun(await file.text(), file.name);
  const { machine, date } = lines.find(isHeader) as RunHeader;
  const whose = `${file.name}, measured on ${machine.processor} (${machine.cores} cores, ${machine.system}) at ${date}`;
  if (results.source === 'run') {
    results.compareWith(lines);
    return `The last column has the ratios of ${whose}.`;
  }
  results.show(lines);
  return `Shown: ${whose}. Run the bench to have your own ratios beside these.`;
}

/** Gives the visitor a text as a file. */
function download(name: string, type: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type }));
  make('a', { href: url, download: name }).click();
  // The browser begins to read after the click has been dealt with.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

function nameOf(lines: readonly RunLine[]): string {
  const devices = lines.filter((line): line is DeviceLine => line.kind === 'device');
  return runSlug(lines.find(isHeader) as RunHeader, devices);
}

function isHeader(line: RunLine): line is RunHeader {
  return line.kind === 'run';
}

function isRow(line: RunLine): line is Row {
  return line.kind === 'row';
}
