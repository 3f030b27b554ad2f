import type { Parameter } from '@saccade/nn';
import type { Multipliers } from './SGD.ts';

/** Options of {@link networkGroups}. */
export interface NetworkGroupOptions {
  /** multiplier for the weights that `gates` matches; AIA's public option `ef_lr5` makes it 2; default 1 */
  readonly gateLr?: number;
  /** names of weights of gates; default those of AIA, `eft.`, `eft1.` and `eft2.` */
  readonly gates?: RegExp;
}

/**
 * The parameter groups of TSN, TSM and AIA, as `multipliers` of `SGD`:
 *
 * | weights | rate | decay |
 * |---|---|---|
 * | of convolutions and Linear layers | 1 (`gateLr` in gates) | 1 |
 * | biases of convolutions and Linear layers | 2 | 0 |
 * | scale and shift of BatchNorm, and what its layer exempts | 1 | 0 |
 *
 * What belongs where follows from the shapes: a vector whose layer has a matrix or filter is its bias. Source: the public
 * code of arXiv 1608.00859, 1811.08383 and 2204.09303.
 */
export function networkGroups(
  parameters: ReadonlyMap<string, Parameter>,
  { gateLr = 1, gates = /\beft[12]?\./ }: NetworkGroupOptions = {},
): (name: string, parameter: Parameter) => Multipliers {
  return (name, { torchShape, decay }) => {
    if (torchShape.length > 1) return { lr: gates.test(name) ? gateLr : 1, decay: decay ? 1 : 0 };
    const weight = parameters.get(name.replace(/[^.]*$/, 'weight'));
    const isBias = weight !== undefined && weight.torchShape.length > 1;
    return { lr: isBias ? 2 : 1, decay: 0 };
  };
}
