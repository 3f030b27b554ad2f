import { type FeatureGate, type FeatureGateSpec, Module } from '@saccade/nn';
import { ConfigError, type Rng } from '@saccade/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';
import { ContextAttention, type ContextAttentionOptions, type ContextOperator } from './ContextAttention.ts';
import { aiaCost } from './cost.ts';

/**
 * The operators and their public combinations: `A2B` is A, then B; `AplusB` is the mean of both.
 */
export type AIAVariant =
  | ContextOperator
  | 'C2ST'
  | 'ST2C'
  | 'CinST2STinC'
  | 'STinC2CinST'
  | 'CplusST'
  | 'STinCplusCinST';

/** Options of {@link AttentionInAttention}. */
export interface AttentionInAttentionOptions extends Omit<ContextAttentionOptions, 'operator'> {
  /** default `CinST` */
  readonly variant?: AIAVariant;
}

/**
 * Attention-in-Attention as a network's block holds it, [B, T, H, W, C] -> the same shape.
 *
 * State: `eft.*` for one operator; `eft1.*` and `eft2.*` for two, in the order of their use (parallel: CplusST has C
 * first, STinCplusCinST has STinC first). Source: section 1.3's table of the public code of arXiv 2204.09303.
 */
export class AttentionInAttention extends Module implements FeatureGate {
  readonly variant: AIAVariant;
  /** the operators, in the order of their names */
  readonly operators: readonly ContextAttention[];
  readonly #parallel: boolean;

  /** @throws ConfigError for a variant that does not exist */
  constructor({ variant = 'CinST', ...options }: AttentionInAttentionOptions = {}) {
    super();
    const { operators, parallel } = partsOf(variant);
    this.variant = variant;
    this.#parallel = parallel;
    this.operators = operators.map((operator, i) => {
      const name = operators.length === 1 ? 'eft' : `eft${i + 1}`;
      const rng = options.rng?.fork(name);
      return this.child(name, new ContextAttention({ ...options, ...(rng ? { rng } : {}), operator }));
    });
  }

  forward(x: tf.Tensor5D): tf.Tensor5D {
    this.assertUsable();
    const [first, second] = this.operators as [ContextAttention, ContextAttention?];
    if (second === undefined) return first.forward(x);
    return tf.tidy(() => {
      if (this.#parallel) return tf.mul(tf.add(first.forward(x), second.forward(x)), 0.5) as tf.Tensor5D;
      return second.forward(first.forward(x));
    });
  }
}

/**
 * Attention-in-Attention as a backbone's gate: `createResNet({gate: aia({variant: 'CinST'})})`.
 *
 * Its state stands among that of the block (`layer1.0.eft.C_conv.weight`), as in the public code.
 *
 * @throws ConfigError for a variant that does not exist
 */
export function aia(options: Omit<AttentionInAttentionOptions, 'rng'> = {}): FeatureGateSpec {
  const { variant = 'CinST', batchNorm = true, stincVersion = 'august' } = options;
  const { operators } = partsOf(variant);
  const version = stincVersion === 'june' && variant.includes('STinC') ? '-june' : '';
  return {
    name: `aia-${variant}${version}${batchNorm ? '' : '-nobn'}`,
    stateName: '',
    create: ({ rng }: { readonly rng: Rng }) => new AttentionInAttention({ ...options, rng }),
    cost: ({ channels, grid }) => aiaCost({ operators, channels, grid, batchNorm }),
  };
}

function partsOf(variant: AIAVariant): { readonly operators: readonly ContextOperator[]; readonly parallel: boolean } {
  const operators = VARIANTS[variant];
  if (operators === undefined) throw new ConfigError('variant', Object.keys(VARIANTS).join(', '), variant);
  return { operators, parallel: variant.includes('plus') };
}

const VARIANTS: Readonly<Record<AIAVariant, readonly ContextOperator[]>> = {
  C: ['C'],
  ST: ['ST'],
  CinST: ['CinST'],
  STinC: ['STinC'],
  C2ST: ['C', 'ST'],
  ST2C: ['ST', 'C'],
  CinST2STinC: ['CinST', 'STinC'],
  STinC2CinST: ['STinC', 'CinST'],
  CplusST: ['C', 'ST'],
  STinCplusCinST: ['STinC', 'CinST'],
};

/** The names of all variants. */
export const AIA_VARIANTS = Object.keys(VARIANTS) as readonly AIAVariant[];
