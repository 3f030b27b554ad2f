import type { Row } from '../core/row.ts';
import type { DeviceLine, RunLine } from '../core/run.ts';
import { Charts } from './charts.ts';
import { byId, make } from './dom.ts';
import { RatioTable, softwareLabel } from './table.ts';

/** The lines of a run, and everything on the page that shows them. */
export class Results {
  readonly #charts = new Charts();
  readonly #table = new RatioTable();
  readonly #devices = byId('devices', HTMLElement);
  readonly #nothing = byId('nothing', HTMLElement);
  readonly #downloads = [byId('download-json', HTMLButtonElement), byId('download-csv', HTMLButtonElement)];
  #lines: RunLine[] = [];
  #source: 'nothing' | 'run' | 'file' = 'nothing';

  get lines(): readonly RunLine[] {
    return this.#lines;
  }

  /** Whose lines these are: those of a run on this page, which may still go on, or of a file. */
  get source(): 'nothing' | 'run' | 'file' {
    return this.#source;
  }

  /** Empties everything for a new run. A file that was shown stays, as what the run is compared with. */
  begin(): void {
    if (this.#source === 'file') this.compareWith(this.#lines);
    this.#replace([]);
    this.#source = 'run';
  }

  /** Shows the lines of a file instead of what is there. */
  show(lines: readonly RunLine[]): void {
    this.compareWith(undefined);
    this.#replace(lines);
    this.#source = 'file';
  }

  /** Shows the ratios of another run beside these. */
  compareWith(lines: readonly RunLine[] | undefined): void {
    this.#table.compareWith(lines?.filter((line): line is Row => line.kind === 'row'));
  }

  add(line: RunLine): void {
    this.#lines.push(line);
    this.#charts.add(line);
    if (line.kind === 'device') this.#devices.append(describeDevice(line));
    if (line.kind !== 'row') return;
    this.#table.add(line);
    this.#nothing.hidden = true;
    for (const button of this.#downloads) button.disabled = false;
  }

  #replace(lines: readonly RunLine[]): void {
    this.#lines = [];
    this.#charts.clear();
    this.#table.clear();
    this.#devices.replaceChildren();
    this.#nothing.hidden = false;
    for (const button of this.#downloads) button.disabled = true;
    for (const line of lines) this.add(line);
  }
}

function describeDevice({ backend, description, softwareGpu }: DeviceLine): HTMLElement {
  const item = make('li', {}, `${backend}: ${description} `);
  if (softwareGpu) item.append(softwareLabel());
  return item;
}
