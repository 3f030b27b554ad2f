import { at, type Dense, fill, sum } from './reference.ts';

/** Routing in plain numbers: `assignment[b][h][i]`, `keys[b][h][g]` in ascending order. */
export interface PlainRouting {
  readonly assignment: number[][][];
  readonly keys: number[][][][];
}

interface RouteOptions {
  readonly topK: number;
  readonly assign?: 'dot' | 'euclid';
  readonly normalizeKeys?: boolean;
}

const range = (count: number) => Array.from({ length: count }, (_, i) => i);

/** The definition of `dynamicGroups`, in float64; of equal scores the first. */
export function routeReference(q: Dense, k: Dense, centroids: Dense, options: RouteOptions): PlainRouting {
  const { topK, assign = 'dot', normalizeKeys = false } = options;
  const [batch, heads, queries, size] = q.shape as [number, number, number, number];
  const [groups, length] = [centroids.shape[1] as number, k.shape[2] as number];
  const inverseLength = (x: Dense, ...i: number[]) =>
    1 / Math.max(Math.sqrt(sum(size, (c) => at(x, ...i, c) ** 2)), 1e-12);
  const ranked = (scores: number[]) => range(scores.length).sort((a, b) => scores[b]! - scores[a]! || a - b);
  const fit = (b: number, h: number, i: number) => {
    const inverse = inverseLength(q, b, h, i);
    return range(groups).map((g) => {
      const shift = assign === 'euclid' ? sum(size, (c) => at(centroids, h, g, c) ** 2) / 2 : 0;
      return sum(size, (c) => at(q, b, h, i, c) * inverse * at(centroids, h, g, c)) - shift;
    });
  };
  const relevance = (b: number, h: number, g: number) =>
    range(length).map((l) => {
      const factor = normalizeKeys ? inverseLength(k, b, h, l) : 1;
      return sum(size, (c) => at(centroids, h, g, c) * at(k, b, h, l, c) * factor);
    });
  const each = <T>(make: (b: number, h: number) => T[]) => range(batch).map((b) => range(heads).map((h) => make(b, h)));
  return {
    assignment: each((b, h) => range(queries).map((i) => ranked(fit(b, h, i))[0] as number)),
    keys: each((b, h) =>
      range(groups).map((g) =>
        ranked(relevance(b, h, g))
          .slice(0, topK)
          .sort((a, b) => a - b),
      ),
    ),
  };
}

/** The definition of `groupedAttention`, in float64: query by query. */
export function groupedReference(
  q: Dense,
  k: Dense,
  v: Dense,
  { assignment, keys }: PlainRouting,
  scale: number,
): Dense {
  const size = q.shape[3] as number;
  return fill(q.shape, (...[b, h, i, c]) => {
    const [sample, head] = [b as number, h as number];
    const own = keys[sample]![head]![assignment[sample]![head]![i as number]!]!;
    const scores = own.map(
      (l) => scale * sum(size, (e) => at(q, sample, head, i as number, e) * at(k, sample, head, l, e)),
    );
    const largest = Math.max(...scores);
    const weights = scores.map((score) => Math.exp(score - largest));
    const total = weights.reduce((a, b) => a + b, 0);
    return sum(own.length, (j) => (weights[j]! / total) * at(v, sample, head, own[j]!, c as number));
  });
}
