import { assertInteger, ConfigError } from '@saccade/tensor-ops';

/** What makes one DG-Attention differ from another. */
export interface DgAttentionOptions {
  /** `dot` (default): `q . k / sqrt(d)`, keys compared as they are; `cosine`: cosines times a trained scale per head */
  readonly attention?: 'dot' | 'cosine';
  /** how a query finds its group: `dot` (default), the largest product; `euclid`, the nearest centroid */
  readonly assign?: 'dot' | 'euclid';
  /** G, groups of queries in each head; default 48 */
  readonly groups?: number;
  /** k, keys of a group; default 98. All keys, if there are no more. */
  readonly topK?: number;
  /**
   * What `tau` weighs in the update of the centroids: `step` (default), the mean of the queries; `literal`, the old
   * centroid.
   */
  readonly ema?: 'step' | 'literal';
  /** tau as a multiple of the learning rate; default 0.1 */
  readonly tauFactor?: number;
  /** scales centroids to length 1 after each update; default false */
  readonly renormalise?: boolean;
  /**
   * How centroids start: `random` (default), unit vectors; `queries`, normalised queries of the first batch in training,
   * which leaves fewer groups empty.
   */
  readonly init?: 'random' | 'queries';
}

/** All options, with their defaults. @throws ConfigError for a value that cannot be */
export function resolveOptions(options: DgAttentionOptions): Required<DgAttentionOptions> {
  const { groups = 48, topK = 98, tauFactor = 0.1, renormalise = false } = options;
  assertInteger('groups', groups, 1);
  assertInteger('topK', topK, 1);
  if (!(Number.isFinite(tauFactor) && tauFactor >= 0)) {
    throw new ConfigError('tauFactor', 'a finite number >= 0', tauFactor);
  }
  return {
    groups,
    topK,
    tauFactor,
    renormalise,
    attention: oneOf('attention', options.attention ?? 'dot', ['dot', 'cosine']),
    assign: oneOf('assign', options.assign ?? 'dot', ['dot', 'euclid']),
    ema: oneOf('ema', options.ema ?? 'step', ['step', 'literal']),
    init: oneOf('init', options.init ?? 'random', ['random', 'queries']),
  };
}

function oneOf<T extends string>(option: string, value: T, values: readonly T[]): T {
  if (!values.includes(value)) throw new ConfigError(option, values.map((one) => `'${one}'`).join(' or '), value);
  return value;
}
