import { annotationError } from '../annotations/text.ts';
import { type FrameFiles, frameName } from '../video/clipEntry.ts';

/** The frames of a clip, as they come: a pattern as long as their numbers run on, else all their paths. */
export class FrameRun {
  readonly label: number | undefined;
  /** the folder of the first frame */
  readonly path: string;
  readonly #pattern: string | undefined;
  readonly #first: number;
  #count = 1;
  #paths: string[] | undefined;

  constructor(path: string, label: number | undefined) {
    const slash = path.lastIndexOf('/');
    const parts = /^(.*?)(\d{1,15})(\.\w+)$/.exec(path.slice(slash + 1));
    this.label = label;
    this.path = path.slice(0, Math.max(0, slash));
    this.#first = Number(parts?.[2] ?? 0);
    // A percent sign in a name would be taken for the place of the number.
    if (parts && !path.includes('%')) {
      const pattern = `${parts[1]}%0${String(parts[2]?.length).padStart(1, '0')}d${parts[3]}`;
      this.#pattern = pattern;
    } else this.#paths = [path];
  }

  /** @throws DatasetError `labels` for another label than before */
  add(path: string, label: number | undefined, place: string): void {
    if (label !== this.label) {
      throw annotationError(place, `the clip's label ${this.label}`, String(label), { code: 'labels' });
    }
    if (this.#paths === undefined && path !== this.#name(this.#count)) {
      this.#paths = Array.from({ length: this.#count }, (_, k) => this.#name(k));
    }
    this.#paths?.push(path);
    this.#count++;
  }

  get frames(): FrameFiles {
    if (this.#paths !== undefined) return { paths: this.#paths };
    return { pattern: this.#pattern ?? '', first: this.#first, count: this.#count };
  }

  #name(k: number): string {
    const name = frameName(this.#pattern ?? '', this.#first + k);
    return this.path === '' ? name : `${this.path}/${name}`;
  }
}
