import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Proportion, SeedResult } from './report/types.ts';

/** Where the results of all seeds are kept: the source of every figure that the documentation quotes. */
export const SEEDS_FILE = fileURLToPath(new URL('../results/seeds.json', import.meta.url));

/** One trained model on the held-out clips. */
export interface SeedRecord {
  readonly model: string;
  readonly seed: number;
  readonly steps: number;
  readonly trainingSeconds: number;
  readonly forwards: Proportion;
  readonly backwardsAsShown: Proportion;
  readonly backwardsAsFilmed: Proportion;
  readonly shuffled: Proportion;
}

/** The file of results. */
export interface SeedFile {
  readonly task: string;
  readonly clips: number;
  readonly clipSeed: number;
  readonly machine: string;
  readonly results: readonly SeedRecord[];
}

/** The committed results of one model, as the report shows them. */
export async function committedSeeds(model: string): Promise<SeedResult[]> {
  const { results } = JSON.parse(await readFile(SEEDS_FILE, 'utf8')) as SeedFile;
  return results.filter((result) => result.model === model).map(({ seed, forwards }) => ({ seed, ...forwards }));
}
