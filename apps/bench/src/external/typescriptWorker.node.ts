import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

/** The form for `import`, which lies beside the one for `require`; a data: URL knows no packages. */
const tsx = new URL('index.mjs', pathToFileURL(createRequire(import.meta.url).resolve('tsx/esm/api')));

/** How worker threads understand the sources of this repository; Node 20 does not hand `--import` on to them. */
export const TYPESCRIPT = [
  '--conditions=@saccade/source',
  '--import',
  `data:text/javascript,import { register } from "${tsx.href}"; register();`,
];
