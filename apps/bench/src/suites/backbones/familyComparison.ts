import * as tf from '@tensorflow/tfjs-core';
import type { Bench, Comparison, Contender, Prepared } from '../../core/comparison.ts';
import { normalInput } from '../support/inputs.ts';
import { type Direction, inputShape, type Network } from './network.ts';
import { networkContender } from './networkContender.ts';

/** Networks for inputs of one shape that are measured in turn. */
export interface Family {
  /** with the direction unique: `images/dgt` */
  readonly id: string;
  readonly direction: Direction;
  /** the first is the baseline */
  readonly networks: readonly [Network, ...Network[]];
}

/** A batch of one through every network of a family. */
export function familyComparison({ id, direction, networks }: Family): Comparison {
  const { input } = networks[0];
  return {
    suite: 'backbones',
    id: `${id}/${direction}`,
    parameters: { input: input.join('x'), batch: 1, direction },
    prepare: async (bench) => await prepareFamily(bench, direction, networks),
  };
}

async function prepareFamily(bench: Bench, direction: Direction, networks: Family['networks']): Promise<Prepared> {
  const shape = inputShape(networks[0]);
  const x = tf.tensor(normalInput('input', shape).values, shape);
  const models: { dispose(): void }[] = [];
  const contenders: Contender[] = [];
  const dispose = () => {
    x.dispose();
    for (const model of models) model.dispose();
  };
  try {
    for (const network of networks) {
      const model = network.build().train(direction === 'step');
      models.push(model);
      contenders.push(networkContender(bench, network, model, { x, direction }));
    }
  } catch (error) {
    dispose();
    throw error;
  }
  return { contenders, baseline: networks[0].name, dispose };
}
