import { rename, writeFile } from 'node:fs/promises';

/** Writes under another name first: an interruption leaves the old file or the new one, never half a row. */
export async function writeWhole(path: string, text: string): Promise<void> {
  await writeFile(`${path}.part`, text);
  await rename(`${path}.part`, path);
}
