import { isBuiltin } from 'node:module';
import { fileURLToPath } from 'node:url';
import { build, defaultClientConditions } from 'vite';
import { BrowserError } from './chromium.ts';

/** The files of a bundle by their path on the server, without the slash in front. */
export type Bundle = ReadonlyMap<string, string | Uint8Array>;

/** Where the page finds what the module exports. */
export const EXPORTS = '__exports';

const ENTRY = 'entry.js';
const VIRTUAL = '\0page-entry';

/**
 * Bundles a module for the browser, from the sources of this repository's packages, as an application would be bundled.
 *
 * @throws when one of our modules imports one of Node's, which bundlers replace by an empty one
 */
export async function bundle(module: URL): Promise<Bundle> {
  const result = await build({
    configFile: false,
    root: fileURLToPath(new URL('.', module)),
    logLevel: 'silent',
    publicDir: false,
    resolve: { conditions: ['@saccade/source', ...defaultClientConditions] },
    build: {
      write: false,
      minify: false,
      target: 'esnext',
      modulePreload: false,
      // A file as such and not as a data: URL, so that tests see what users get.
      assetsInlineLimit: 0,
      rolldownOptions: { input: VIRTUAL, output: { entryFileNames: ENTRY } },
    },
    plugins: [
      {
        name: 'no-node',
        enforce: 'pre',
        resolveId: (id, importer) => {
          // Other people's packages ask where they are before they use what they import.
          if (!isBuiltin(id) || importer?.includes('/node_modules/')) return;
          throw new BrowserError(`${importer} imports ${id}, which no browser has`);
        },
      },
      {
        name: 'page-entry',
        resolveId: (id) => (id === VIRTUAL ? id : undefined),
        load: (id) =>
          id === VIRTUAL
            ? `import * as exported from ${JSON.stringify(fileURLToPath(module))};\nglobalThis.${EXPORTS} = exported;\n`
            : undefined,
      },
    ],
  });
  if (Array.isArray(result) || !('output' in result)) throw new Error('vite gave something else than one bundle');
  const files = new Map<string, string | Uint8Array>();
  for (const file of result.output) files.set(file.fileName, file.type === 'chunk' ? file.code : file.source);
  files.set('', `<!doctype html><meta charset="utf-8"><script type="module" src="/${ENTRY}"></script>`);
  return files;
}
