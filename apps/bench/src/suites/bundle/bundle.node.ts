import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { build, defaultClientConditions, rolldownVersion } from 'vite';

/** What is bundled. */
export interface BundleTask {
  /** the text of a module that exports what an application takes */
  readonly code: string;
  /** packages that are left out */
  readonly external: readonly RegExp[];
}

/** A file of a bundle. */
export interface BundledFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** A bundle as an application would have it. */
export interface Bundled {
  /** the module with the exports */
  readonly entry: string;
  readonly exports: readonly string[];
  /** loaded at once: the entry, what it imports, and assets that these name */
  readonly files: readonly BundledFile[];
  /** loaded when it is asked for by `import()`, with the assets that only this names */
  readonly late: readonly BundledFile[];
}

export const BUNDLER = `rolldown ${rolldownVersion}`;

const ENTRY = '\0bundle-entry';
const APP = fileURLToPath(new URL('../../..', import.meta.url));

/** Bundles and minifies a module by vite, as for a browser, from the sources of this repository's packages. */
export async function bundle({ code, external }: BundleTask): Promise<Bundled> {
  const result = await build({
    configFile: false,
    root: APP,
    logLevel: 'silent',
    publicDir: false,
    resolve: { conditions: ['@saccade/source', ...defaultClientConditions] },
    build: {
      write: false,
      minify: true,
      target: 'es2022',
      modulePreload: false,
      // Files as such: within the code they would be a third larger.
      assetsInlineLimit: 0,
      reportCompressedSize: false,
      rolldownOptions: { input: ENTRY, external: [...external], preserveEntrySignatures: 'strict' },
    },
    plugins: [
      {
        name: 'bundle-entry',
        resolveId: (id) => (id === ENTRY ? id : undefined),
        load: (id) => (id === ENTRY ? code : undefined),
      },
    ],
  });
  if (Array.isArray(result) || !('output' in result)) throw new Error('vite gave something else than one bundle');
  const chunks = new Map(result.output.flatMap((file) => (file.type === 'chunk' ? [[file.fileName, file]] : [])));
  const entry = [...chunks.values()].find(({ isEntry }) => isEntry);
  if (entry === undefined) throw new Error('vite gave a bundle without an entry');
  const first = new Set<string>();
  const follow = (name: string) => {
    const chunk = chunks.get(name);
    if (chunk === undefined || first.has(name)) return;
    first.add(name);
    for (const imported of chunk.imports) follow(imported);
  };
  follow(entry.fileName);
  const [atOnce, onDemand] = [new Set(first), new Set([...chunks.keys()].filter((name) => !first.has(name)))];
  const mentions = (names: ReadonlySet<string>, asset: string) =>
    [...names].some((name) => chunks.get(name)?.code.includes(basename(asset)));
  for (const { type, fileName } of result.output) {
    // The bundler also gives assets of code that it dropped: those are in neither list.
    if (type !== 'asset') continue;
    if (mentions(first, fileName)) atOnce.add(fileName);
    else if (mentions(onDemand, fileName)) onDemand.add(fileName);
  }
  const all = result.output.map((file): BundledFile => {
    const content = file.type === 'chunk' ? file.code : file.source;
    return { name: file.fileName, bytes: typeof content === 'string' ? Buffer.from(content) : content };
  });
  return {
    entry: entry.fileName,
    exports: entry.exports,
    files: all.filter(({ name }) => atOnce.has(name)),
    late: all.filter(({ name }) => onDemand.has(name)),
  };
}

const gzipped = promisify(gzip);
const brotli = promisify(brotliCompress);

/**
 * Bytes of files as they are, by gzip and by brotli, each file by itself.
 *
 * gzip at its best (9); brotli at 9 of 11, since the best takes a minute for the files of some peers and saves 5 % more.
 */
export async function sizesOf(files: readonly BundledFile[]): Promise<{ raw: number; gzip: number; brotli: number }> {
  const sizes = { raw: 0, gzip: 0, brotli: 0 };
  for (const { bytes } of files) {
    sizes.raw += bytes.length;
    sizes.gzip += (await gzipped(bytes, { level: 9 })).length;
    sizes.brotli += (await brotli(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } })).length;
  }
  return sizes;
}
