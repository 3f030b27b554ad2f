import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build, createLogger } from 'vite';
import { CheckFailure } from '../runner.ts';

/** A bundle on disk. */
export interface Bundle {
  /** Absolute path of the module that the page loads. */
  readonly entry: string;
  /** Gzipped bytes of all its code. */
  readonly bytes: number;
}

/**
 * Bundles `example.ts` of a project for browsers.
 *
 * @param external modules that stay imports
 * @throws CheckFailure if one of our packages reaches for a module that browsers do not have.
 */
export async function bundleExample(project: string, name: string, external: readonly RegExp[]): Promise<Bundle> {
  await writeFile(join(project, 'index.html'), '<!doctype html><script type="module" src="./example.ts"></script>\n');
  const warnings: string[] = [];
  const customLogger = createLogger('warn');
  customLogger.warn = customLogger.warnOnce = (message) => void warnings.push(message);
  const outDir = join(project, name);
  const result = await build({
    root: project,
    configFile: false,
    customLogger,
    logLevel: 'warn',
    // Without the polyfill the bundle touches no DOM of its own accord, so that it can be run in Node as well.
    build: { outDir, modulePreload: { polyfill: false }, rolldownOptions: { external: [...external] } },
  });
  const nodeOnly = warnings.filter(
    (text) => /externalized for browser/.test(text) && /@saccade[/\\]|example\.ts/.test(text),
  );
  if (nodeOnly.length > 0) throw new CheckFailure(nodeOnly.join('\n'));
  if (!('output' in result)) throw new Error('Vite returned no single output.');
  const chunks = result.output.filter((file) => file.type === 'chunk');
  const entry = chunks.find((chunk) => chunk.isEntry);
  if (!entry) throw new Error('Vite made no entry chunk.');
  const sizes = await Promise.all(
    chunks.map(async (chunk) => gzipSync(await readFile(join(outDir, chunk.fileName))).byteLength),
  );
  return { entry: join(outDir, entry.fileName), bytes: sizes.reduce((sum, size) => sum + size, 0) };
}
