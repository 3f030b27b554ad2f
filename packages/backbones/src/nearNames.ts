/** Names beyond these are not compared: a file with a million names must not make an error message slow. */
const COMPARED = 2000;

/** The names most like `wanted`, best first: those that half as many edits as it has characters turn into it. */
export function nearNames(wanted: string, names: Iterable<string>, most = 2): string[] {
  const reach = wanted.length / 2;
  return [...names]
    .filter((name) => Math.abs(name.length - wanted.length) <= reach)
    .slice(0, COMPARED)
    .map((name) => ({ name, edits: editDistance(wanted, name) }))
    .filter(({ edits }) => edits <= reach)
    .sort((a, b) => a.edits - b.edits)
    .slice(0, most)
    .map(({ name }) => name);
}

/** Characters to insert, delete or replace until `a` is `b` (Levenshtein). */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (previous[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      current.push(Math.min(replaced, (previous[j] as number) + 1, (current[j - 1] as number) + 1));
    }
    previous = current;
  }
  return previous[b.length] as number;
}
