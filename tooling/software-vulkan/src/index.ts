import { mkdir, mkdtemp, readFile, rename, rm, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { brotliDecompress } from 'node:zlib';
import { extract } from 'tar';

/** A Vulkan driver that runs on the processor, unpacked on this disk. */
export interface SoftwareVulkan {
  /** The driver's manifest: what `VK_ICD_FILENAMES` has to name. */
  readonly icd: string;
  /** The Vulkan loader (`libvulkan.so.1`) that belongs to it, for machines that have none. */
  readonly library: string;
  /** The folder both lie in. */
  readonly directory: string;
}

/** No software driver can be had here: another platform, or the archive is not as expected. */
export class SoftwareVulkanError extends Error {
  override readonly name = 'SoftwareVulkanError';
}

const packageName = '@sparticuz/chromium';
const icdName = 'vk_swiftshader_icd.json';
const loaderName = 'libvulkan.so.1';
const wanted: readonly string[] = [icdName, loaderName, 'libvk_swiftshader.so'];

/** 8.6 MB unpacked in version 153; an archive beyond this is not the one we know. */
const largestArchive = 64 * 2 ** 20;

const require = createRequire(import.meta.url);
const decompress = promisify(brotliDecompress);

/**
 * SwiftShader, a Vulkan driver that needs no GPU and nothing from the system, for tests.
 *
 * It comes out of the npm package `@sparticuz/chromium` (file `bin/swiftshader.tar.br`) and is unpacked once per version
 * of that package into `node_modules/.cache` of the workspace. Later calls find it there. Several processes may call at
 * the same time: each unpacks into a folder of its own, and the first rename wins.
 *
 * @throws {SoftwareVulkanError} on anything but Linux on x64, and when the archive lacks a file.
 */
export async function softwareVulkan(): Promise<SoftwareVulkan> {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new SoftwareVulkanError(
      `the software Vulkan driver exists for linux x64 only, this is ${process.platform} ${process.arch}; ` +
        'use the GPU of this machine, or the wasm backend',
    );
  }
  const archive = locateArchive();
  const directory = join(cacheDirectory(), `swiftshader-${archive.version}`);
  const driver = { icd: join(directory, icdName), library: join(directory, loaderName), directory };
  if (!(await isDirectory(directory))) await unpack(archive.path, directory);
  return driver;
}

function locateArchive(): { path: string; version: string } {
  // The package's export map hides `package.json` and `bin`, so its root is found from the entry point.
  let folder = dirname(require.resolve(packageName));
  for (;;) {
    const manifest = readManifest(join(folder, 'package.json'));
    if (manifest?.name === packageName) {
      return { path: join(folder, 'bin', 'swiftshader.tar.br'), version: manifest.version };
    }
    const parent = dirname(folder);
    if (parent === folder) throw new SoftwareVulkanError(`cannot find the root of the package ${packageName}`);
    folder = parent;
  }
}

function readManifest(path: string): { name?: string; version: string } | undefined {
  try {
    return require(path) as { name?: string; version: string };
  } catch {
    return undefined; // No package.json in this folder: the search goes one up.
  }
}

function cacheDirectory(): string {
  const toolRoot = dirname(dirname(fileURLToPath(import.meta.url)));
  return join(dirname(dirname(toolRoot)), 'node_modules', '.cache', 'saccade');
}

async function unpack(archive: string, directory: string): Promise<void> {
  await mkdir(dirname(directory), { recursive: true });
  const temporary = await mkdtemp(`${directory}.`);
  try {
    const tar = await decompress(await readFile(archive), { maxOutputLength: largestArchive });
    await pipeline(
      Readable.from([tar]),
      // Three known files and nothing else: no folders, no links, no names from the archive we did not ask for.
      extract({ cwd: temporary, strict: true, filter: (path) => wanted.includes(path) }),
    );
    for (const name of wanted) {
      if (!(await isFile(join(temporary, name)))) {
        throw new SoftwareVulkanError(`${archive} does not hold ${name}; was ${packageName} upgraded?`);
      }
    }
    await rename(temporary, directory).catch(async (error: unknown) => {
      // Another process was faster; its copy is as good as ours.
      if (!(await isDirectory(directory))) throw error;
    });
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

async function isDirectory(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}
