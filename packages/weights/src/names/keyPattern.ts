import { quote } from '../weightsError.ts';
import { KeyMapError } from './keyMapError.ts';

/** A part of a name between two dots: `before`, then, where there is a hole, at least one character, then `after`. */
interface Part {
  readonly before: string;
  readonly hole: string | undefined;
  readonly after: string;
}

/** What the holes of a pattern stand for in a name. */
export type Holes = ReadonlyMap<string, string>;

/**
 * The form of a name, such as `blocks{s}.{i}.attn.qkv.{leaf}`.
 *
 * - `{i}` stands for a part of a name without dots, or a piece of one: at least one character.
 * - `{rest*}` stands for one part or several, with the dots between them.
 * - Everything else stands for itself.
 *
 * A part holds at most one hole, and a pattern at most one hole with a star: so a name fits in one way or not at all, and
 * comparing takes time linear in its length.
 */
export class KeyPattern {
  readonly #text: string;
  readonly #head: readonly Part[];
  readonly #rest: string | undefined;
  readonly #tail: readonly Part[];
  /** The names of its holes, sorted. */
  readonly holes: readonly string[];

  /** @throws KeyMapError InvalidRule */
  constructor(text: string) {
    this.#text = text;
    const parts = text.split('.');
    const stars = parts.flatMap((part, i) => (/^\{\w+\*\}$/.test(part) ? [i] : []));
    if (stars.length > 1) throw this.#invalid('it has more than one hole with a star');
    const [star = parts.length] = stars;
    this.#head = parts.slice(0, star).map((part) => this.#parsed(part));
    this.#tail = parts.slice(star + 1).map((part) => this.#parsed(part));
    this.#rest = parts[star]?.slice(1, -2);
    const named = [...this.#head, ...this.#tail].map(({ hole }) => hole);
    this.holes = [...named, this.#rest].filter((hole) => hole !== undefined).sort();
    if (new Set(this.holes).size < this.holes.length) throw this.#invalid('two of its holes have the same name');
  }

  #parsed(part: string): Part {
    const [whole, before, hole, after] = /^([^{}*]*)(?:\{(\w+)\}([^{}*]*))?$/.exec(part) ?? [];
    if (whole === undefined || before === undefined) {
      throw this.#invalid(
        `${quote(part)} is neither text, nor text with one hole {name}, nor a hole {name*} of its own`,
      );
    }
    return { before, hole, after: after ?? '' };
  }

  /** What its holes stand for in `name`; undefined if the name has another form. */
  match(name: string): Holes | undefined {
    const parts = name.split('.');
    const fixed = this.#head.length + this.#tail.length;
    if (this.#rest === undefined ? parts.length !== fixed : parts.length <= fixed) return undefined;
    const holes = new Map<string, string>();
    const tailStart = parts.length - this.#tail.length;
    if (!fill(holes, this.#head, parts, 0) || !fill(holes, this.#tail, parts, tailStart)) return undefined;
    if (this.#rest !== undefined) {
      const rest = parts.slice(this.#head.length, tailStart).join('.');
      if (rest === '') return undefined;
      holes.set(this.#rest, rest);
    }
    return holes;
  }

  /** The name that has `holes` in the places of its holes. */
  write(holes: Holes): string {
    const text = ({ before, hole, after }: Part) => (hole === undefined ? before : before + holes.get(hole) + after);
    const rest = this.#rest === undefined ? [] : [holes.get(this.#rest)];
    return [...this.#head.map(text), ...rest, ...this.#tail.map(text)].join('.');
  }

  #invalid(reason: string): KeyMapError {
    return new KeyMapError('InvalidRule', `${quote(this.#text)} is no pattern of names: ${reason}.`);
  }
}

/** Compares parts with those of a name, and notes what the holes stand for. */
function fill(holes: Map<string, string>, pattern: readonly Part[], parts: readonly string[], start: number): boolean {
  for (const [i, { before, hole, after }] of pattern.entries()) {
    const part = parts[start + i] as string;
    if (hole === undefined) {
      if (part !== before) return false;
      continue;
    }
    const length = part.length - before.length - after.length;
    if (length < 1 || !part.startsWith(before) || !part.endsWith(after)) return false;
    holes.set(hole, part.slice(before.length, before.length + length));
  }
  return true;
}
