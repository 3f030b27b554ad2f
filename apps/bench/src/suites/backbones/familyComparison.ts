import * as tf from '@tensorflow/tfjs-core';
import type { Absent, Bench, Comparison, Contender, Prepared } from '../../core/comparison.ts';
import { normalInput } from '../support/inputs.ts';
import { type Direction, inputShape, type Network } from './network.ts';
import { networkContender } from './networkContender.ts';

/** Networks for the same input that are measured in turn. */
export interface Family {
  /** unique; `images/dgt-sizes` */
  readonly id: string;
  readonly direction: Direction;
  /** the first is the baseline */
  readonly networks: readonly [Network, ...Network[]];
}

/**
 * A clip of more multiply-accumulates than that takes a processor ten seconds: by any budget but the largest it would be
 * skipped after minutes.
 */
const MOST_MACS_ON_A_PROCESSOR = 60e9;

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

async function prepareFamily(bench: Bench, direction: Direction, networks: readonly Network[]): Promise<Prepared> {
  const inputs = new Map<string, tf.Tensor>();
  const models: { dispose(): void }[] = [];
  const contenders: Contender[] = [];
  const absent: Absent[] = [];
  const dispose = () => {
    tf.dispose([...inputs.values()]);
    for (const model of models) model.dispose();
  };
  try {
    for (const network of networks) {
      const reason = tooMuch(bench, network);
      if (reason !== undefined) {
        absent.push({ name: network.name, status: 'skipped', reason });
        continue;
      }
      const shape = inputShape(network);
      const { name, values } = normalInput('input', shape);
      const key = `${name} ${shape}`;
      const x = inputs.get(key) ?? tf.tensor(values, shape);
      inputs.set(key, x);
      const model = network.build().train(direction === 'step');
      models.push(model);
      contenders.push(networkContender(bench, network, model, { x, direction }));
    }
  } catch (error) {
    dispose();
    throw error;
  }
  return { contenders, absent, baseline: (networks[0] as Network).name, dispose };
}

function tooMuch({ backend }: Bench, { cost: { macs } }: Network): string | undefined {
  if (backend === 'webgpu' || backend === 'webgl' || macs <= MOST_MACS_ON_A_PROCESSOR) return undefined;
  const giga = (count: number) => `${Math.round(count / 1e9)} G`;
  return `${giga(macs)} multiply-accumulates, over the ${giga(MOST_MACS_ON_A_PROCESSOR)} that a processor is given`;
}
