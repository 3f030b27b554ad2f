import type { MeasureProgress } from '../core/measure.ts';
import type { RunProgress } from '../worker/plan.ts';
import { byId, make } from './dom.ts';
import { fractionDone, timeLeft } from './timeLeft.ts';

/** Part of a run after which the screen reader is told again; every round would drown everything else. */
const ANNOUNCE_EVERY = 0.1;

/** What is being done, how much of it is done, and how long it will take. */
export class ProgressView {
  readonly #section = byId('progress', HTMLElement);
  readonly #bar = byId('bar', HTMLProgressElement);
  readonly #now = byId('now', HTMLElement);
  readonly #detail = byId('detail', HTMLElement);
  readonly #announcement = byId('announcement', HTMLElement);
  readonly #notes = byId('notes', HTMLElement);
  #began = 0;
  #announced = 0;

  start(): void {
    this.#began = performance.now();
    this.#announced = 0;
    this.#section.hidden = false;
    this.#bar.hidden = false;
    this.#bar.value = 0;
    this.#now.textContent = 'Starting a worker.';
    this.#detail.textContent = '';
    this.#announcement.textContent = 'The run has begun.';
    this.#notes.replaceChildren();
  }

  show(progress: RunProgress): void {
    const fraction = fractionDone(progress);
    this.#bar.value = fraction;
    const left = timeLeft(fraction, performance.now() - this.#began);
    const counted = `${progress.done} of ${progress.total} comparisons done`;
    this.#now.textContent = left === undefined ? counted : `${counted}, ${left} left`;
    this.#detail.textContent = `${progress.backend}: ${progress.comparison ?? 'opening the backend'}${detailOf(progress.detail)}`;
    if (fraction < this.#announced + ANNOUNCE_EVERY) return;
    this.#announced = fraction;
    this.#announcement.textContent = this.#now.textContent;
  }

  /** Something that who reads the results should know. */
  note(text: string): void {
    this.#notes.append(make('li', {}, text));
  }

  /** @param outcome how the run ended, in a sentence */
  end(outcome: string): void {
    this.#bar.hidden = true;
    this.#now.textContent = outcome;
    this.#detail.textContent = '';
    this.#announcement.textContent = outcome;
  }
}

function detailOf(detail: MeasureProgress | undefined): string {
  if (detail === undefined) return '';
  const { phase, contender, round, rounds } = detail;
  if (phase === 'prepare') return ', making the inputs';
  if (phase === 'check') return `, is ${contender} right?`;
  return round === undefined ? ', timing' : `, timing, round ${round} of ${rounds}`;
}
