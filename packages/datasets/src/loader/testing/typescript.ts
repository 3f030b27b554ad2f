import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const require = createRequire(import.meta.url);
const tsx: { exports: { './esm/api': { import: { default: string } } } } = require('tsx/package.json');
// The file itself: a data URL knows no packages.
const api = new URL(tsx.exports['./esm/api'].import.default, pathToFileURL(require.resolve('tsx/package.json')));

/** Options with which a worker thread runs TypeScript and finds the sources of this repository's packages. */
export const TYPESCRIPT: readonly string[] = [
  '--conditions=@saccade/source',
  '--import',
  `data:text/javascript,import { register } from "${api.href}"; register();`,
];
