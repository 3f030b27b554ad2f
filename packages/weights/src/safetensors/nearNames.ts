/** Names longer than this are compared by their end, which is where parameter names differ. */
const COMPARED_LENGTH = 120;

/**
 * The names most similar to `wanted`, best first.
 *
 * Similarity is Dice's coefficient on pairs of neighbouring characters, 2 * common / (pairs a + pairs b). It needs time
 * linear in the text, so a file with a million names cannot make an error message slow, and it finds both a misspelt
 * name and one under another prefix ("module.head.bias" for "head.bias").
 */
export function nearNames(wanted: string, names: Iterable<string>, most = 3, atLeast = 0.5): string[] {
  const target = pairs(wanted);
  const scored: { name: string; score: number }[] = [];
  for (const name of names) {
    const score = dice(target, pairs(name));
    if (score < atLeast) continue;
    scored.push({ name, score });
    if (scored.length > 1000) keepBest(scored, most);
  }
  return keepBest(scored, most).map(({ name }) => name);
}

function keepBest<T extends { score: number }>(scored: T[], most: number): T[] {
  scored.sort((a, b) => b.score - a.score);
  scored.length = Math.min(scored.length, most);
  return scored;
}

function pairs(name: string): Map<string, number> {
  const text = name.slice(-COMPARED_LENGTH).toLowerCase();
  const counts = new Map<string, number>();
  // A leading space gives single characters a pair and weighs the start of the name.
  for (let i = 0; i < text.length; i++) {
    const pair = i === 0 ? ` ${text[0]}` : text.slice(i - 1, i + 1);
    counts.set(pair, (counts.get(pair) ?? 0) + 1);
  }
  return counts;
}

function dice(a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>): number {
  let common = 0;
  let total = 0;
  for (const [pair, count] of a) {
    common += Math.min(count, b.get(pair) ?? 0);
    total += count;
  }
  for (const count of b.values()) total += count;
  return total === 0 ? 0 : (2 * common) / total;
}
