import type { Absent, Bench, Comparison, Contender, Prepared } from '../../core/comparison.ts';
import { valuesOf } from '../../core/tfjsContender.ts';
import { functionContender } from '../support/functionWork.ts';
import { InputTensors } from '../support/inputs.ts';
import { memoryLimits, tooLarge } from '../support/memory.ts';
import type { AskedPeers } from '../support/peers.ts';
import { once } from '../support/samples.ts';
import { aiaGates } from './aia.ts';
import { dgAttention } from './dgAttention.ts';
import { lisa } from './lisa.ts';
import type { OperatorFactory, OperatorWork } from './operator.ts';
import { askAttentionPeers } from './peers.ts';
import { EXPLICIT, FUSED, plainAttention, plainSamples } from './plain.ts';
import { CHANNELS, type OperatorPoint, pointId, tokensOf } from './point.ts';
import { structSA } from './structSA.ts';
import { WINDOWED, windowedAttention } from './windowed.ts';

const FACTORIES: readonly OperatorFactory[] = [
  plainAttention,
  windowedAttention,
  structSA,
  lisa,
  dgAttention,
  aiaGates,
];

/** What ratios refer to: the first of these that takes part. */
const BASELINES: readonly string[] = [EXPLICIT, FUSED, WINDOWED];

/** All operators at one point. */
export function operatorComparison(point: OperatorPoint): Comparison {
  const { tokens, headDim, batch, direction } = point;
  return {
    suite: 'operators',
    id: pointId(point),
    parameters: { tokens, channels: CHANNELS, headDim, batch, direction },
    prepare: (bench) => prepare(point, bench),
  };
}

async function prepare(point: OperatorPoint, bench: Bench): Promise<Prepared> {
  const tokens = tokensOf(point);
  const store = new InputTensors();
  const contenders: Contender[] = [];
  const absent: Absent[] = [];
  let peers: AskedPeers | undefined;
  try {
    const samples = once(() => plainSamples(point, tokens));
    for (const work of FACTORIES.flatMap((factory) => factory(point, tokens, bench, samples))) {
      if ('reason' in work) {
        absent.push(work);
        continue;
      }
      const refused =
        work.maps && (tooLarge(work.maps, memoryLimits(bench.backend)) ?? tooMuchWork(work, point, bench));
      if (refused) absent.push({ name: work.name, role: work.role ?? 'saccade', ...refused });
      else contenders.push(functionContender(bench, store, work, point.direction));
      if (work.name !== EXPLICIT || point.direction !== 'forward') continue;
      const tensors = work.inputs.map((input) => store.of(input));
      peers = await askAttentionPeers(bench, point, tokens, work.macs as number, {
        against: EXPLICIT,
        samples,
        ...(!refused && { values: () => valuesOf(() => work.apply(tensors), 'explicit') }),
      });
    }
  } catch (error) {
    store.dispose();
    await peers?.dispose();
    throw error;
  }
  const all = [...contenders, ...(peers?.contenders ?? [])];
  const baseline = BASELINES.find((name) => contenders.some((contender) => contender.name === name));
  return {
    contenders: all,
    ...(baseline !== undefined && { baseline }),
    absent: [...absent, ...(peers?.absent ?? [])],
    async dispose() {
      store.dispose();
      await peers?.dispose();
    },
  };
}

/**
 * The most multiply-accumulates of a run on wasm for who computes with maps of N x N: about a second of 20 samples each
 * (`full`), so that the suite ends within a quarter of an hour, or a tenth of that (`quick`).
 */
const MOST_MACS = { full: 12e9, quick: 1.5e9 } as const;

function tooMuchWork(
  { macs = 0, slowness = 1 }: OperatorWork,
  { direction }: OperatorPoint,
  { backend, scale }: Bench,
): Pick<Absent, 'reason' | 'status'> | undefined {
  const run = macs * (direction === 'forward' ? 1 : 3);
  if (backend !== 'wasm' || run * slowness <= MOST_MACS[scale]) return undefined;
  const giga = (n: number) => `${(n / 1e9).toPrecision(2)} G`;
  const slow = slowness === 1 ? '' : `, each ${slowness} times as dear on this backend`;
  const reason = `${giga(run)} multiply-accumulates a run${slow}, of ${giga(MOST_MACS[scale])} that wasm is given`;
  return { status: 'skipped', reason };
}
