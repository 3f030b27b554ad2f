import type { Prepared } from '../core/comparison.ts';

/** What is undone when a comparison is over, the last first: files, processes, models. */
export type Undo = (() => void | Promise<void>)[];

/** Prepares a comparison out of things that must be undone, also if a later step of preparing fails. */
export async function preparing(work: (undo: Undo) => Promise<Omit<Prepared, 'dispose'>>): Promise<Prepared> {
  const undo: Undo = [];
  const dispose = async () => {
    for (const step of undo.splice(0).reverse()) await step();
  };
  try {
    return { ...(await work(undo)), dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}
