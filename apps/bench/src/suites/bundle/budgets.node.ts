import { readFile } from 'node:fs/promises';
import { type BundledImport, nameOf } from './bundledImport.ts';

/** An import with the most bytes that `pnpm check` lets it have, gzipped. */
export interface Budget extends BundledImport {
  readonly limitBytes: number;
}

const FILE = new URL('../../../../../tooling/check/.size-limit.json', import.meta.url);

/** The budgets of `pnpm check`, whose list stands with that command. @throws for entries of another form */
export async function readBudgets(file: URL = FILE): Promise<Budget[]> {
  const entries = JSON.parse(await readFile(file, 'utf8')) as { path: string; import: string; limit: string }[];
  return entries.map((entry) => {
    const folder = /packages\/([\w-]+)\/dist\/index\.js$/.exec(entry.path)?.[1];
    const names = /^\{ (.+) \}$/.exec(entry.import)?.[1]?.split(', ');
    const kilobytes = /^([\d.]+) kB$/.exec(entry.limit)?.[1];
    if (folder === undefined || names === undefined || kilobytes === undefined) {
      throw new Error(`a budget in another form than expected: ${JSON.stringify(entry)}`);
    }
    const from = `@saccade/${folder}`;
    return { name: nameOf(from, names), from, names, limitBytes: Number(kilobytes) * 1000 };
  });
}
