import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Undo } from './prepared.ts';

/** A folder for files that a comparison writes. */
export interface WorkFolder {
  /** the path of a file in it */
  path(name: string): string;
  remove(): Promise<void>;
}

/** Makes a folder, which whoever has no list to undo removes. */
export async function workFolder(undo?: Undo): Promise<WorkFolder> {
  const root = await mkdtemp(join(tmpdir(), `saccade-bench-${process.pid}-`));
  const remove = () => rm(root, { recursive: true, force: true });
  undo?.push(remove);
  return { path: (name) => join(root, name), remove };
}

/** Does what comes first, and undoes `undo` if that fails. */
export async function orUndo<T>(work: () => Promise<T>, undo: () => Promise<void>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    await undo();
    throw error;
  }
}
