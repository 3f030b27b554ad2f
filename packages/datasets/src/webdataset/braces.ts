import { DatasetError } from '../errors.ts';

/** Options of {@link expandShards}. */
export interface ExpandOptions {
  /** more names than this are refused before one is made; default 100,000 */
  readonly maxShards?: number | undefined;
}

/**
 * The names that patterns of shards stand for, in order: `imagenet-{0000..0002}.tar` is `imagenet-0000.tar`,
 * `imagenet-0001.tar`, `imagenet-0002.tar`.
 *
 * As in a shell: `{0000..0147}` counts up or down, as wide as its wider end if one begins with 0; `{0..9..3}` counts in steps;
 * `{train,val}` lists; groups may follow one another (the last changes fastest) and stand in lists. Braces that hold neither
 * are taken as they are.
 *
 * @throws DatasetError `option` for more names than `maxShards`, or patterns that are too long or too deep
 */
export function expandShards(
  patterns: string | readonly string[],
  { maxShards = 100_000 }: ExpandOptions = {},
): string[] {
  const parsed = (typeof patterns === 'string' ? [patterns] : patterns).map((pattern) => {
    if (pattern.length > LONGEST) throw refused(pattern, `at most ${LONGEST} characters`, `${pattern.length}`);
    return parse(pattern);
  });
  const count = parsed.reduce((sum, node) => sum + countOf(node), 0);
  if (!(count <= maxShards)) {
    throw refused(
      String(patterns),
      `patterns of at most ${maxShards} shards`,
      `${count}`,
      'Raise maxShards if so many are meant.',
    );
  }
  return parsed.flatMap((node) => [...namesOf(node)]);
}

const [LONGEST, DEEPEST] = [10_000, 20];

/** What a pattern is made of. */
type Node =
  | { readonly kind: 'text'; readonly text: string }
  | {
      readonly kind: 'range';
      readonly first: number;
      readonly step: number;
      readonly count: number;
      readonly width: number;
    }
  | { readonly kind: 'one of' | 'all of'; readonly parts: readonly Node[] };

function parse(pattern: string, depth = 0): Node {
  if (depth > DEEPEST) throw refused(pattern, `braces in at most ${DEEPEST} others`, 'more');
  const parts: Node[] = [];
  let text = '';
  for (let position = 0; position < pattern.length; ) {
    const group = pattern[position] === '{' ? groupAt(pattern, position) : undefined;
    const node = group && (rangeOf(group.items) ?? listOf(group.items, depth));
    if (group === undefined || node === undefined) {
      text += pattern[position++];
    } else {
      parts.push({ kind: 'text', text }, node);
      text = '';
      position = group.end;
    }
  }
  return { kind: 'all of', parts: [...parts, { kind: 'text', text }] };
}

/** What stands between a brace and its partner, cut at the commas that are not in braces of their own. */
function groupAt(pattern: string, open: number): { readonly items: string[]; readonly end: number } | undefined {
  const items: string[] = [];
  let [depth, from] = [0, open + 1];
  for (let position = open; position < pattern.length; position++) {
    const character = pattern[position];
    if (character === '{') depth++;
    else if (character === '}') depth--;
    if (depth === 0 || (depth === 1 && character === ',')) {
      items.push(pattern.slice(from, position));
      from = position + 1;
    }
    if (depth === 0) return { items, end: position + 1 };
  }
  return undefined;
}

function rangeOf(items: readonly string[]): Node | undefined {
  const [, from, to, by = '1'] = /^(-?\d{1,15})\.\.(-?\d{1,15})(?:\.\.(-?\d{1,15}))?$/.exec(items.join(',')) ?? [];
  if (from === undefined || to === undefined) return undefined;
  const [first, last] = [Number(from), Number(to)];
  const size = Math.abs(Number(by)) || 1;
  const padded = [from, to].some((end) => /^-?0\d/.test(end));
  return {
    kind: 'range',
    first,
    step: last < first ? -size : size,
    count: Math.floor(Math.abs(last - first) / size) + 1,
    width: padded ? Math.max(from.length, to.length) : 0,
  };
}

function listOf(items: readonly string[], depth: number): Node | undefined {
  return items.length < 2 ? undefined : { kind: 'one of', parts: items.map((item) => parse(item, depth + 1)) };
}

function countOf(node: Node): number {
  if (node.kind === 'text') return 1;
  if (node.kind === 'range') return node.count;
  const counts = node.parts.map(countOf);
  return node.kind === 'one of' ? counts.reduce((a, b) => a + b) : counts.reduce((a, b) => a * b);
}

function* namesOf(node: Node): Generator<string> {
  if (node.kind === 'text') {
    yield node.text;
  } else if (node.kind === 'range') {
    for (let i = 0; i < node.count; i++) yield padded(node.first + i * node.step, node.width);
  } else if (node.kind === 'one of') {
    for (const part of node.parts) yield* namesOf(part);
  } else {
    yield* node.parts.reduce<readonly string[]>(
      (heads, part) => {
        const tails = [...namesOf(part)];
        return heads.flatMap((head) => tails.map((tail) => head + tail));
      },
      [''],
    );
  }
}

/** The sign counts as one of the characters, as in a shell. */
function padded(value: number, width: number): string {
  return value < 0 ? `-${String(-value).padStart(width - 1, '0')}` : String(value).padStart(width, '0');
}

function refused(pattern: string, expected: string, actual: string, hint?: string): DatasetError {
  const shown = pattern.length > 100 ? `${pattern.slice(0, 100)}...` : pattern;
  return new DatasetError({ code: 'option', argument: `shards ${shown}`, expected, actual, ...(hint && { hint }) });
}
