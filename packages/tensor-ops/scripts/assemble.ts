// Compiles assembly/*.ts and writes the module that the wasm kernels embed: `pnpm assemble`.
import { readdir, readFile, writeFile } from 'node:fs/promises';
import asc from 'assemblyscript/asc';

const SOURCES = new URL('../assembly/', import.meta.url);
const TARGET = new URL('../src/kernels/wasm/simd.generated.ts', import.meta.url);

/** The TypeScript module for the kernels as they are written now. */
export async function assemble(): Promise<string> {
  const files = (await readdir(SOURCES)).filter((file) => file.endsWith('.ts')).sort();
  const sources = await Promise.all(files.map(async (file) => [file, await readFile(new URL(file, SOURCES), 'utf8')]));
  const { error, stderr, binary } = await asc.compileString(Object.fromEntries(sources), {
    optimizeLevel: 3,
    shrinkLevel: 0,
    runtime: 'stub',
    importMemory: true,
    noExportMemory: true,
    enable: ['simd'],
    use: ['abort='],
  });
  if (error) throw new Error(`${error.message}\n${stderr}`);
  if (binary === null) throw new Error('AssemblyScript gave no module.');
  const lines =
    Buffer.from(binary)
      .toString('base64')
      .match(/.{1,100}/g) ?? [];
  return [
    '// Generated from assembly/*.ts by `pnpm assemble`; a test compares the two. Do not edit.',
    'export const SIMD_MODULE_BASE64 = [',
    ...lines.map((line) => `  '${line}',`),
    "].join('');",
    '',
  ].join('\n');
}

if (import.meta.url === `file://${process.argv[1]}`) await writeFile(TARGET, await assemble());
