import { isBuiltin } from 'node:module';
import { fileURLToPath } from 'node:url';
import { build, defaultClientConditions, type Plugin } from 'vite';

/** Where {@link buildPage} puts the page unless told otherwise. */
export const pageFolder = fileURLToPath(new URL('../../dist/page', import.meta.url));

/**
 * Builds the page from the sources of this repository into a folder that any server of files can give away: all paths in it
 * are relative, and the wasm files of TensorFlow.js and of the peers are part of it.
 *
 * @param folder is emptied first
 * @throws when a module of ours imports one of Node's
 */
export async function buildPage(folder: string = pageFolder): Promise<void> {
  await build({
    configFile: false,
    root: fileURLToPath(new URL('.', import.meta.url)),
    base: './',
    logLevel: 'error',
    publicDir: false,
    resolve: { conditions: ['@saccade/source', ...defaultClientConditions] },
    plugins: [noNode()],
    worker: { format: 'es', plugins: () => [noNode()] },
    build: {
      outDir: folder,
      emptyOutDir: true,
      target: 'esnext',
      reportCompressedSize: false,
      // The chunks are large because TensorFlow.js is; nobody can split them smaller.
      chunkSizeWarningLimit: Number.POSITIVE_INFINITY,
    },
  });
}

/** Refuses what vite would replace by an empty module, and what would then fail in the visitor's browser. */
function noNode(): Plugin {
  return {
    name: 'no-node',
    enforce: 'pre',
    resolveId: (id, importer) => {
      // Other people's packages ask where they are before they use what they import.
      if (!isBuiltin(id) || importer?.includes('/node_modules/')) return;
      throw new Error(`${importer} imports ${id}, which no browser has`);
    },
  };
}
