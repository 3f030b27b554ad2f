import { missingPackage } from '../optionalPackage.ts';

/** The parts of mediabunny that are used here; so no types of it get into those of this package. */
export type Mediabunny = typeof import('mediabunny');

/**
 * mediabunny, an optional package. The import stands in a `try`: bundlers then allow it to be missing.
 *
 * @throws DecodeError MissingPackage
 */
export async function loadMediabunny(): Promise<Mediabunny> {
  try {
    return await import('mediabunny');
  } catch (cause) {
    throw missingPackage('reading videos', ['mediabunny'], cause);
  }
}
