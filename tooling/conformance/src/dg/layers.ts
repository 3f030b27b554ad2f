import {
  ConditionalPositionEmbedding,
  DgtMerge,
  DgtStem,
  InvertedResidualFfn,
  type MergeKernel,
} from '@saccade/backbones';
import { Rng } from '@saccade/tensor-ops';
import { GoldenError } from '../errors.ts';
import type { Golden } from '../Golden.ts';
import type { Handler } from '../handler.ts';
import { type MapModule, replayMaps } from './maps.ts';

/** One layer of DGT between maps; those with BatchNorm in evaluation mode as well. */
export const layers: Handler = {
  family: 'dg',
  kind: /^layer /,
  async replay(golden, checks) {
    const [prefix, create] = layerOf(golden);
    await replayMaps(create, golden, checks, prefix);
  },
};

/** What builds the layer that a file describes, and under which name the file knows its weights. */
function layerOf(golden: Golden): [prefix: string, create: () => MapModule] {
  const rng = new Rng(0);
  const channels = (name: string, axis: number) => golden.get(`state.${name}.weight`).shape[axis] as number;
  switch (golden.text('kind')) {
    case 'layer stem': {
      const strides = /strides ([\d,]+)/.exec(golden.text('rule'))?.[1]?.split(',').map(Number) ?? [];
      const [inputs, outputs] = [channels('stem.conv0', 1), golden.number('C')];
      return ['stem', () => new DgtStem(inputs, outputs, { strides, rng })];
    }
    case 'layer cpe':
      return ['cpe', () => new ConditionalPositionEmbedding(golden.number('C'), { rng })];
    case 'layer merge': {
      const kernel = golden.number('kernel') as MergeKernel;
      const [outputs, inputs] = [channels('conv', 0), channels('conv', 1)];
      return ['', () => new DgtMerge(inputs, outputs, { kernel, rng })];
    }
    case 'layer irffn': {
      const dim = golden.number('C');
      return ['', () => new InvertedResidualFfn(dim, { hidden: dim * golden.number('r'), rng })];
    }
    default:
      throw new GoldenError(`no layer of DGT is called "${golden.text('kind')}"`);
  }
}
