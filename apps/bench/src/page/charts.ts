import { grouped } from '../core/grouped.ts';
import type { Row } from '../core/row.ts';
import type { DeviceLine, RunLine, SlopeLine } from '../core/run.ts';
import {
  CHART_CSS,
  type Chart,
  init,
  ratioChart,
  ratioMap,
  rooflineChart,
  scalingChart,
  seriesKey,
} from '../report/charts/index.ts';
import { byId, make } from './dom.ts';
import { softwareLabel } from './table.ts';

/** Milliseconds between two drawings: several rows of one comparison come at once. */
const REDRAW_EVERY = 250;

/** The charts of everything measured so far: for each suite and backend the ratios, how they grow, and the roofline. */
export class Charts {
  readonly #frame = byId('charts', HTMLElement);
  readonly #suites = new Map<string, SuiteCharts>();
  readonly #devices = new Map<string, DeviceLine>();
  readonly #dirty = new Set<SuiteCharts>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    document.head.append(make('style', {}, CHART_CSS));
  }

  add(line: RunLine): void {
    if (line.kind === 'device') this.#devices.set(line.backend, line);
    if (line.kind === 'row') this.#change(line, (charts) => charts.rows.push(line));
    if (line.kind === 'slope') this.#change(line, (charts) => charts.slopes.push(line));
  }

  clear(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#dirty.clear();
    for (const charts of this.#suites.values()) charts.remove();
    this.#suites.clear();
    this.#devices.clear();
  }

  #change(line: Row | SlopeLine, change: (charts: SuiteCharts) => void): void {
    const { suite, backend, softwareGpu } = line;
    const key = JSON.stringify([suite, backend]);
    let charts = this.#suites.get(key);
    if (charts === undefined) {
      charts = new SuiteCharts(this.#frame, `${suite} on ${backend}`, softwareGpu, () => this.#devices.get(backend));
      this.#suites.set(key, charts);
    }
    change(charts);
    this.#dirty.add(charts);
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      for (const each of this.#dirty) each.draw();
      this.#dirty.clear();
    }, REDRAW_EVERY);
  }
}

/** The charts of one suite on one backend. */
class SuiteCharts {
  readonly rows: Row[] = [];
  readonly slopes: SlopeLine[] = [];
  readonly #section: HTMLElement;
  readonly #device: () => DeviceLine | undefined;
  readonly #series = make('select');
  readonly #choice: HTMLElement;
  /** by the visitor; else the charts follow what is being measured */
  #chosen: string | undefined;
  readonly #places: Readonly<Record<'ratios' | 'time' | 'memory' | 'roofline', ChartPlace>>;

  constructor(frame: HTMLElement, title: string, softwareGpu: boolean, device: () => DeviceLine | undefined) {
    this.#device = device;
    const heading = make('h3', {}, title);
    if (softwareGpu) heading.append(' ', softwareLabel());
    this.#series.addEventListener('change', () => {
      this.#chosen = this.#series.value;
      this.#drawSeries();
    });
    this.#choice = make('label', { className: 'field', hidden: true }, 'Over N, with ', this.#series);
    const places = [new ChartPlace(), new ChartPlace(), new ChartPlace(), new ChartPlace()] as const;
    const [ratios, time, memory, roofline] = places;
    this.#places = { ratios, time, memory, roofline };
    this.#section = make(
      'section',
      {},
      heading,
      this.#choice,
      ratios.element,
      time.element,
      memory.element,
      roofline.element,
    );
    // A section is not shown before something is in it.
    this.#section.hidden = true;
    frame.append(this.#section);
  }

  draw(): void {
    const device = this.#device();
    this.#places.roofline.show(device && rooflineChart(this.rows, device));
    this.#offerSeries();
    this.#drawSeries();
    this.#section.hidden = Object.values(this.#places).every(({ element }) => element.hidden);
  }

  remove(): void {
    for (const place of Object.values(this.#places)) place.remove();
    this.#section.remove();
  }

  /** Series over N, under the names of what distinguishes them. */
  #offerSeries(): void {
    const series = grouped(this.rows.filter(isOverTokens), seriesKey);
    const last = [...series.keys()].at(-1) ?? '';
    const options = [...series].map(([key, rows]) => make('option', { value: key }, seriesName(rows)));
    this.#series.replaceChildren(...options);
    this.#series.value = this.#chosen ?? last;
    this.#choice.hidden = series.size === 0;
  }

  /** The charts of one series; of everything where nothing depends on N. */
  #drawSeries(): void {
    const { value } = this.#series;
    const rows = value === '' ? this.rows : this.rows.filter((row) => isOverTokens(row) && seriesKey(row) === value);
    this.#places.ratios.show(ratioMap(rows) ?? ratioChart(rows));
    this.#places.time.show(scalingChart(rows, this.slopes, 'wallMs'));
    this.#places.memory.show(
      scalingChart(rows, this.slopes, 'peakDeviceBytes') ?? scalingChart(rows, this.slopes, 'peakTensorBytes'),
    );
  }
}

function isOverTokens({ parameters }: Row): boolean {
  return parameters.tokens !== undefined;
}

function seriesName(rows: readonly Row[]): string {
  const parameters = Object.entries(rows[0]?.parameters ?? {}).filter(([name]) => name !== 'tokens');
  return parameters.map(([name, value]) => `${name} ${value}`).join(', ');
}

/** A place on the page that has a chart or, so far, none. What is wider than the screen scrolls. */
class ChartPlace {
  readonly #drawing = make('div');
  readonly element = make('div', { className: 'chart', hidden: true }, this.#drawing);
  readonly #observer = new ResizeObserver(() => this.#drawn?.resize());
  #drawn: ReturnType<typeof init> | undefined;

  constructor() {
    this.#drawing.setAttribute('role', 'img');
    this.#observer.observe(this.#drawing);
  }

  show(chart: Chart | undefined): void {
    this.element.hidden = chart === undefined;
    if (chart === undefined) return;
    this.#drawing.style.height = `${chart.height}px`;
    this.#drawing.setAttribute('aria-label', chart.label);
    this.#drawn ??= init(this.#drawing, null, { renderer: 'svg' });
    this.#drawn.resize();
    this.#drawn.setOption(chart.option, { notMerge: true });
  }

  remove(): void {
    this.#observer.disconnect();
    this.#drawn?.dispose();
  }
}
