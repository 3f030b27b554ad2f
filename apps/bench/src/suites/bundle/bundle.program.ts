import { createInterface } from 'node:readline';
import { setupBackend } from '@saccade/tensor-ops/node';
import { IMPORTS } from './imports.ts';

// Uses bundles, in a process of its own: what a bundle registers with TensorFlow.js stays there. See imports.node.ts.

/** An import, and the file that its bundle was written to. */
export interface BundleQuestion {
  readonly name: string;
  readonly from: string;
  readonly url: string;
}

export interface BundleAnswer {
  readonly exports: readonly string[];
  /** what using it gave, where there is something to do with it */
  readonly numbers?: { readonly bundle: readonly number[]; readonly sources: readonly number[] };
}

await setupBackend('wasm');
const known = new Map(Object.values(IMPORTS).flatMap((group) => group.map((entry) => [entry.name, entry])));

console.log(JSON.stringify('ready'));
for await (const line of createInterface({ input: process.stdin })) {
  try {
    console.log(JSON.stringify(await use(JSON.parse(line) as BundleQuestion)));
  } catch (error) {
    console.log(JSON.stringify({ error: error instanceof Error ? error.message : String(error) }));
  }
}

async function use({ name, from, url }: BundleQuestion): Promise<BundleAnswer> {
  const bundle: object = await import(url);
  const exports = Object.keys(bundle);
  const run = known.get(name)?.run;
  if (run === undefined) return { exports };
  const sources: unknown = await import(from);
  return { exports, numbers: { bundle: Array.from(await run(bundle)), sources: Array.from(await run(sources)) } };
}
