import { createReadStream, createWriteStream } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { brotliDecompress, createBrotliDecompress } from 'node:zlib';
import { extract } from 'tar';

/** A browser on this disk and the environment it has to be started in. */
export interface BrowserFiles {
  readonly executable: string;
  /** To be laid over the environment of this process. */
  readonly environment: Readonly<Record<string, string>>;
}

/** No browser can be had here, or it did not start. */
export class BrowserError extends Error {
  override readonly name = 'BrowserError';
}

/** Each of the small archives, unpacked: 7.5 MB at most in version 153. One beyond this is not the one we know. */
const largestArchive = 64 * 2 ** 20;

const require = createRequire(import.meta.url);
const decompress = promisify(brotliDecompress);

/**
 * The browser to test in: the one that the variable `SACCADE_TEST_CHROMIUM` names, or else a headless Chromium that
 * needs nothing from the system.
 *
 * The latter comes out of the npm package `@sparticuz/chromium`, which brings its libraries, a font and SwiftShader (so
 * that WebGL and WebGPU work without a GPU) along. It is unpacked once per version of that package (220 MB, some
 * seconds) into `node_modules/.cache` of the workspace. Several processes may call at the same time: each unpacks into a
 * folder of its own, and the first rename wins.
 *
 * @throws {BrowserError} on anything but Linux on x64 where the variable is not set
 */
export async function browserFiles(): Promise<BrowserFiles> {
  const own = process.env.SACCADE_TEST_CHROMIUM;
  if (own) return { executable: own, environment: {} };
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new BrowserError(
      `a browser is at hand for linux x64 only, this is ${process.platform} ${process.arch}; ` +
        'set SACCADE_TEST_CHROMIUM to the path of a Chromium of this machine',
    );
  }
  const home = dirname(dirname(require.resolve('@sparticuz/chromium')));
  const { version } = JSON.parse(await readFile(join(home, 'package.json'), 'utf8')) as { version: string };
  const directory = join(cacheDirectory(), `chromium-${version}`);
  if (!(await exists(directory))) await unpack(join(home, 'bin'), directory);
  return { executable: join(directory, 'chromium'), environment: await environmentOf(directory) };
}

function cacheDirectory(): string {
  const toolRoot = dirname(dirname(fileURLToPath(import.meta.url)));
  return join(dirname(dirname(toolRoot)), 'node_modules', '.cache', 'saccade');
}

async function unpack(archives: string, directory: string): Promise<void> {
  await mkdir(dirname(directory), { recursive: true });
  const temporary = await mkdtemp(`${directory}.`);
  try {
    const executable = join(temporary, 'chromium');
    await Promise.all([
      pipeline(
        createReadStream(join(archives, 'chromium.br')),
        createBrotliDecompress(),
        createWriteStream(executable),
      ).then(() => chmod(executable, 0o755)),
      // Chromium looks for its graphics libraries beside itself.
      untar(join(archives, 'swiftshader.tar.br'), temporary),
      untar(join(archives, 'al2023.tar.br'), temporary),
      untar(join(archives, 'fonts.tar.br'), temporary),
    ]);
    await writeFile(join(temporary, 'fonts.conf'), fontsIn(directory));
    await rename(temporary, directory).catch(async (error: unknown) => {
      // Another process was faster; its copy is as good as ours.
      if (!(await exists(directory))) throw error;
    });
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

async function untar(archive: string, cwd: string): Promise<void> {
  const tar = await decompress(await readFile(archive), { maxOutputLength: largestArchive });
  await pipeline(Readable.from([tar]), extract({ cwd, strict: true }));
}

/** Its libraries are always used, so that it runs alike everywhere; its font is for machines that have none. */
async function environmentOf(directory: string): Promise<Record<string, string>> {
  const { LD_LIBRARY_PATH: before } = process.env;
  const libraries = join(directory, 'lib');
  const environment: Record<string, string> = { LD_LIBRARY_PATH: before ? `${libraries}:${before}` : libraries };
  if (!(await exists('/etc/fonts/fonts.conf'))) environment.FONTCONFIG_FILE = join(directory, 'fonts.conf');
  return environment;
}

/** The archive's own configuration names folders of a cloud service. */
function fontsIn(directory: string): string {
  return `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>${join(directory, 'fonts')}</dir>
  <cachedir>${join(directory, 'fonts-cache')}</cachedir>
</fontconfig>
`;
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
