import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { blobFiles } from '../files/blobFiles.ts';
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

/** An installation that is not on disk: quicker, for tests of what annotations say. */
export function inMemory(installation: Installation): { readonly files: Files } {
  const entries = Object.entries(installation).map(
    ([path, content]) => [path, new Blob([typeof content === 'string' ? content : content.slice()])] as const,
  );
  return { files: blobFiles(entries) };
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
