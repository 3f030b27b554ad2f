import { readFile } from 'node:fs/promises';
import type { BackendName } from '@saccade/tensor-ops/node';
import { GoldenError } from './errors.ts';

/**
 * What a comparison is of: it decides how large an error may be.
 *
 * `forward`, `gradients`, `statistics`: largest difference over largest expected magnitude. `update`: Euclidean distance
 * over the length of the expected step. `absolute`: largest difference. `exact`: number of values that differ.
 */
export type Group = 'forward' | 'gradients' | 'statistics' | 'update' | 'absolute' | 'exact';

/** Our own limits, for float32 arithmetic. */
const HOUSE: Readonly<Record<Group, number>> = {
  forward: 2e-5,
  gradients: 2e-4,
  statistics: 2e-5,
  update: 5e-3,
  absolute: 4e-3,
  exact: 0,
};

/** GPUs add in another order and have their own exponentials; what the golden files' manifests state as well. */
const GPU_FACTOR = 10;

/** How large the error of a golden tensor may be. */
export type ToleranceOf = (tensor: string, group: Group) => number;

interface Recommendation {
  readonly pattern: RegExp;
  readonly tolerance: number;
}

/** What we read of a manifest: recommendations by file. */
type ManifestFiles = Readonly<Record<string, { readonly recommended_tolerance?: Readonly<Record<string, unknown>> }>>;

/** The tolerances that a folder's `manifest.json` recommends, if it has one. */
export class Manifest {
  readonly #files: ManifestFiles;

  private constructor(files: ManifestFiles) {
    this.#files = files;
  }

  static async read(path: string): Promise<Manifest> {
    let text: string;
    try {
      text = await readFile(path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return new Manifest({});
      throw error;
    }
    return new Manifest((JSON.parse(text) as { files?: ManifestFiles }).files ?? {});
  }

  /** The stricter of the house's and the manifest's tolerance; ten times that on a GPU. */
  tolerances(file: string, backend: BackendName): ToleranceOf {
    const recommended = recommendations(this.#files[file]?.recommended_tolerance ?? {});
    const factor = backend === 'webgpu' ? GPU_FACTOR : 1;
    return (tensor, group) => {
      const found = recommended.find(({ pattern }) => pattern.test(tensor))?.tolerance;
      return factor * Math.min(HOUSE[group], found ?? Number.POSITIVE_INFINITY);
    };
  }
}

/**
 * Entries look like `"grad_input,grad.*": 3e-5`: names with wildcards, separated by commas, explanations after a space;
 * the value may say `"exact; ..."`.
 */
function recommendations(entries: Readonly<Record<string, unknown>>): Recommendation[] {
  return Object.entries(entries).flatMap(([names, value]) => {
    const tolerance = typeof value === 'string' && value.startsWith('exact') ? 0 : value;
    if (typeof tolerance !== 'number')
      throw new GoldenError(`manifest.json states the tolerance of "${names}" as ${value}`);
    return names.split(',').map((name) => ({ pattern: wildcard(name.trim().split(' ', 1)[0] as string), tolerance }));
  });
}

function wildcard(name: string): RegExp {
  const literal = name.split('*').map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${literal.join('.*')}$`);
}
