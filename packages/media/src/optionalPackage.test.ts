import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const run = promisify(execFile);

/** What a process says in which these packages are not installed. */
async function without(...names: string[]): Promise<Record<string, string>> {
  const script = fileURLToPath(new URL('./testing/withoutPackages.ts', import.meta.url));
  const hide = new URL('./testing/hidePackages.mjs', import.meta.url).href;
  const options = ['--import', 'tsx', '--import', hide, '--conditions=@saccade/source'];
  const env = { ...process.env, HIDDEN_PACKAGES: names.join(',') };
  const { stdout } = await run(process.execPath, [...options, script], { env });
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
}

describe('without optional packages', () => {
  it('reads PNG, and says what to install for the rest', { timeout: 120_000 }, async () => {
    const said = await without('sharp', '@jsquash/jpeg', '@jsquash/webp', 'mediabunny', 'node-av');
    expect(said).toEqual({
      png: 'done',
      jpeg: 'MissingPackage: decoding JPEG and WebP in Node needs the package sharp, which is not installed: npm install sharp',
      sharp:
        'MissingPackage: decoding JPEG and WebP in Node needs the package sharp, which is not installed: npm install sharp',
      wasm: expect.stringContaining('npm install @jsquash/jpeg'),
      video: expect.stringContaining('npm install mediabunny'),
    });
  });

  it('decodes with WebAssembly where sharp is not installed', { timeout: 120_000 }, async () => {
    const said = await without('sharp', 'node-av');
    expect(said).toMatchObject({
      jpeg: 'done',
      wasm: 'done',
      video: expect.stringContaining('npm install node-av mediabunny'),
    });
  });
});
