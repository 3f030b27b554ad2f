import type { Ratio, Row } from '../core/row.ts';
import { byId, make } from './dom.ts';

/** The table of ratios; rows of one comparison on one backend stand together. */
export class RatioTable {
  readonly #frame = byId('table', HTMLElement);
  readonly #legend = byId('legend', HTMLElement);
  readonly #referenceHead = byId('reference-column', HTMLTableCellElement);
  readonly #groups = new Map<string, { readonly body: HTMLTableSectionElement; readonly rows: Row[] }>();
  #reference: ReadonlyMap<string, Row> | undefined;

  /** Adds a row below the others of its comparison. */
  add(row: Row): void {
    const key = JSON.stringify([row.suite, row.comparison, row.backend]);
    let group = this.#groups.get(key);
    if (group === undefined) {
      group = { body: make('tbody'), rows: [] };
      this.#groups.set(key, group);
      this.#table().append(group.body);
    }
    group.rows.push(row);
    this.#draw(group);
    this.#show(true);
  }

  clear(): void {
    for (const { body } of this.#groups.values()) body.remove();
    this.#groups.clear();
    this.#show(false);
  }

  /** Shows the ratios of an earlier run beside those of this one. */
  compareWith(rows: readonly Row[] | undefined): void {
    this.#reference = rows && new Map(rows.map((row) => [identity(row), row]));
    this.#referenceHead.hidden = rows === undefined;
    for (const group of this.#groups.values()) this.#draw(group);
  }

  #show(shown: boolean): void {
    this.#frame.hidden = !shown;
    this.#legend.hidden = !shown;
  }

  #table(): HTMLTableElement {
    return this.#frame.querySelector('table') as HTMLTableElement;
  }

  #draw({ body, rows }: { readonly body: HTMLTableSectionElement; readonly rows: readonly Row[] }): void {
    const { suite, comparison, backend, softwareGpu } = rows[0] as Row;
    const columns = this.#reference === undefined ? 5 : 6;
    const head = make('th', { scope: 'rowgroup', colSpan: columns }, `${suite}/${comparison} on ${backend}`);
    if (softwareGpu) head.append(' ', softwareLabel('software driver'));
    // What was timed first: who is absent, and why, is read last.
    const ordered = [...rows].sort((a, b) => Number(b.status === 'measured') - Number(a.status === 'measured'));
    body.replaceChildren(make('tr', { className: 'group' }, head), ...ordered.map((row) => this.#line(row)));
  }

  #line(row: Row): HTMLTableRowElement {
    const name = make('th', { scope: 'row' }, row.contender);
    if (row.engine !== undefined) name.append(make('small', {}, row.engine));
    const line = make('tr', { className: row.status }, name);
    const cell = (text: string, colSpan = 1) => line.append(make('td', { colSpan }, text));
    if (row.status === 'measured') {
      cell(timeOf(row));
      cell(row.memoryRatio === undefined ? '' : `${quotient(row.memoryRatio)} ×`);
      cell(
        row.roofline === undefined ? '' : `${Number(row.roofline.percent.toPrecision(2))} % (${row.roofline.limit})`,
      );
      cell(row.check === undefined ? '' : row.check.error.toExponential(0));
    } else cell(`${row.status}: ${row.reason ?? ''}`, 4);
    if (this.#reference !== undefined) cell(referenceOf(this.#reference.get(identity(row))));
    return line;
  }
}

/** What says that a "GPU" is none. */
export function softwareLabel(text = 'a driver on the processor: nothing about a GPU'): HTMLElement {
  return make('strong', { className: 'software' }, text);
}

function identity({ suite, comparison, backend, contender, parameters }: Row): string {
  return JSON.stringify([suite, comparison, backend, contender, Object.entries(parameters).sort()]);
}

function timeOf({ timeRatio, baseline, contender, quantities }: Row): string {
  if (timeRatio !== undefined) return contender === baseline ? '1 (baseline)' : ratio(timeRatio);
  if (quantities === undefined) return 'no baseline';
  return Object.entries(quantities)
    .map(([name, value]) => `${name} ${Number(value.toPrecision(4))}`)
    .join(', ');
}

function referenceOf(row: Row | undefined): string {
  if (row === undefined) return 'not there';
  return row.status === 'measured' ? timeOf(row) : row.status;
}

function ratio({ value, interval: [low, high] }: Ratio): string {
  return `${quotient(value)} × (${quotient(low)} to ${quotient(high)})`;
}

function quotient(value: number): string {
  return value >= 100 ? String(Math.round(value)) : value.toPrecision(2);
}
