import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { resultTables, withTables } from './readme.node.ts';

// Writes the headline figures of the committed results into the README of this app.
const inApp = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const readme = inApp('README.md');
await writeFile(readme, withTables(await readFile(readme, 'utf8'), await resultTables(inApp('results'))));
