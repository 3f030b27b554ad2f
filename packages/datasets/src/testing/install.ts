import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Files } from '../files/files.ts';
import { nodeFiles } from '../files/nodeFiles.ts';

/** The files of an installation: path below the root, content. */
export type Installation = Readonly<Record<string, string | Uint8Array>>;

/** An installation on disk, until it is disposed. */
export interface Installed extends AsyncDisposable {
  readonly root: string;
  readonly files: Files;
}

/** Writes an installation below a folder. */
export async function writeInstallation(root: string, installation: Installation): Promise<void> {
  for (const [path, content] of Object.entries(installation)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content);
  }
}

/** Puts an installation into a folder of its own. */
export async function install(installation: Installation): Promise<Installed> {
  const root = await mkdtemp(join(tmpdir(), 'saccade-datasets-'));
  await writeInstallation(root, installation);
  return {
    root,
    files: await nodeFiles(root),
    [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }),
  };
}
