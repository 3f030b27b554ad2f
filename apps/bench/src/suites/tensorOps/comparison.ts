import type { Bench, Comparison, Prepared } from '../../core/comparison.ts';
import { type Direction, type FunctionWork, functionContender } from '../support/functionWork.ts';
import { InputTensors } from '../support/inputs.ts';
import { askPeers, PEER_TOLERANCE } from '../support/peers.ts';
import { compareSamples } from '../support/samples.ts';
import type { OpCase } from './opCase.ts';

/** One function at one size in one direction. */
export function opComparison(opCase: OpCase, direction: Direction): Comparison {
  return {
    suite: 'tensor-ops',
    id: `${opCase.name}/${direction.replace('+', '-')}`,
    parameters: { ...opCase.parameters, direction },
    prepare: (bench) => prepare(opCase, direction, bench),
  };
}

async function prepare(opCase: OpCase, direction: Direction, bench: Bench): Promise<Prepared> {
  const store = new InputTensors();
  const works = opCase.works(bench);
  const [first] = works as [FunctionWork];
  try {
    const contenders = works.map((work) => functionContender(bench, store, work, direction));
    const task = direction === 'forward' ? opCase.peerTask?.() : undefined;
    const peers =
      task &&
      (await askPeers(bench, task, {
        cost: first.macs === undefined ? {} : { macs: first.macs },
        check: async (result) => compareSamples(result, first.samples(), PEER_TOLERANCE),
      }));
    return {
      contenders: [...contenders, ...(peers?.contenders ?? [])],
      baseline: first.name,
      absent: peers?.absent ?? [],
      async dispose() {
        store.dispose();
        await peers?.dispose();
      },
    };
  } catch (error) {
    store.dispose();
    throw error;
  }
}
