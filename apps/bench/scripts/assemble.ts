// Compiles assembly/roofline.ts and writes the module that the roofline of wasm embeds: `pnpm assemble`.
import { readFile, writeFile } from 'node:fs/promises';
import asc from 'assemblyscript/asc';

const SOURCE = new URL('../assembly/roofline.ts', import.meta.url);
const TARGET = new URL('../src/device/roofline/simd.generated.ts', import.meta.url);

/** The TypeScript module for the functions as they are written now. */
export async function assemble(): Promise<string> {
  const { error, stderr, binary } = await asc.compileString(
    { 'roofline.ts': await readFile(SOURCE, 'utf8') },
    {
      optimizeLevel: 3,
      shrinkLevel: 0,
      runtime: 'stub',
      importMemory: true,
      noExportMemory: true,
      enable: ['simd'],
      use: ['abort='],
    },
  );
  if (error) throw new Error(`${error.message}\n${stderr}`);
  if (binary === null) throw new Error('AssemblyScript gave no module.');
  const lines =
    Buffer.from(binary)
      .toString('base64')
      .match(/.{1,100}/g) ?? [];
  return [
    '// Generated from assembly/roofline.ts by `pnpm assemble`; a test compares the two. Do not edit.',
    'export const ROOFLINE_MODULE_BASE64 = [',
    ...lines.map((line) => `  '${line}',`),
    "].join('');",
    '',
  ].join('\n');
}

if (import.meta.url === `file://${process.argv[1]}`) await writeFile(TARGET, await assemble());
