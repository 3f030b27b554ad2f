import type { Comparison, Suite, SuitePlace } from '../core/comparison.ts';

/** Which of the comparisons are wanted. */
export interface Selection {
  /** names of suites */
  readonly suites: readonly string[];
  /** only comparisons whose `suite/id` contains one of these */
  readonly only?: readonly string[];
}

/** What is to be measured in a place, in the order of the suites. */
export function listComparisons(
  suites: readonly Suite[],
  place: SuitePlace,
  { suites: names, only = [''] }: Selection,
): readonly Comparison[] {
  return suites
    .filter((suite) => names.includes(suite.name) && belongs(suite, place))
    .flatMap((suite) => suite.comparisons(place))
    .filter(({ suite, id }) => only.some((text) => `${suite}/${id}`.includes(text)));
}

/** @throws when there is no such comparison in this place */
export function findComparison(suites: readonly Suite[], suite: string, id: string, place: SuitePlace): Comparison {
  const found = listComparisons(suites, place, { suites: [suite] }).find((comparison) => comparison.id === id);
  if (found === undefined) {
    throw new Error(
      `there is no comparison ${suite}/${id} on ${place.backend} in ${place.home} at scale ${place.scale}`,
    );
  }
  return found;
}

function belongs({ homes, backends }: Suite, { home, backend }: SuitePlace): boolean {
  return homes.includes(home) && backends.includes(backend);
}
