import { annotationError } from '../annotations/text.ts';
import type { FrameFiles } from '../video/clipEntry.ts';

/** The frames of a clip, as they come: a pattern as long as their numbers run on, else all their paths. */
export class FrameRun {
  readonly label: number | undefined;
  /** the folder of the first frame */
  readonly path: string;
  readonly #numbered: Numbered | undefined;
  #count = 1;
  #paths: string[] | undefined;

  constructor(path: string, label: number | undefined) {
    this.label = label;
    this.path = path.slice(0, Math.max(0, path.lastIndexOf('/')));
    this.#numbered = numberIn(path);
    if (this.#numbered === undefined) this.#paths = [path];
  }

  /** @throws DatasetError `labels` for another label than before */
  add(path: string, label: number | undefined, place: string): void {
    if (label !== this.label) {
      throw annotationError(place, `the clip's label ${this.label}`, String(label), { code: 'labels' });
    }
    const numbered = this.#numbered;
    if (numbered !== undefined && this.#paths === undefined && path !== pathOf(numbered, this.#count)) {
      this.#paths = Array.from({ length: this.#count }, (_, k) => pathOf(numbered, k));
    }
    this.#paths?.push(path);
    this.#count++;
  }

  get frames(): FrameFiles {
    if (this.#numbered === undefined || this.#paths !== undefined) return { paths: this.#paths ?? [] };
    const { head, width, tail, first } = this.#numbered;
    const prefix = head.slice(head.lastIndexOf('/') + 1);
    return { pattern: `${prefix}%0${width}d${tail}`, first, count: this.#count };
  }
}

/** A path around the number of a frame. */
interface Numbered {
  readonly head: string;
  readonly width: number;
  readonly tail: string;
  readonly first: number;
}

function numberIn(path: string): Numbered | undefined {
  const [, head = '', digits, tail = ''] = /^(.*?)(\d{1,15})(\.\w+)$/.exec(path) ?? [];
  // A percent sign in a name would be taken for the place of the number.
  if (digits === undefined || path.includes('%')) return undefined;
  return { head, width: digits.length, tail, first: Number(digits) };
}

function pathOf({ head, width, tail, first }: Numbered, k: number): string {
  return head + String(first + k).padStart(width, '0') + tail;
}
