import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder for files that a comparison writes. */
export interface WorkFolder {
  /** the path of a file in it */
  path(name: string): string;
  remove(): Promise<void>;
}

export async function workFolder(): Promise<WorkFolder> {
  const root = await mkdtemp(join(tmpdir(), 'saccade-bench-'));
  return {
    path: (name) => join(root, name),
    remove: () => rm(root, { recursive: true, force: true }),
  };
}

/** Does what a comparison does first, and undoes `undo` if that fails. */
export async function orUndo<T>(work: () => Promise<T>, undo: () => Promise<void>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    await undo();
    throw error;
  }
}
