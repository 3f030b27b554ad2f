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
import { CHANNELS, type OperatorPoint, pointId, type Tokens, tokensOf } from './point.ts';
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
  try {
    const samples = once(() => plainSamples(point, tokens));
    const forms = FACTORIES.flatMap((factory) => factory(point, tokens, bench, samples));
    for (const form of forms) {
      if ('reason' in form) {
        absent.push(form);
        continue;
      }
      const refused = refusalOf(form, point, bench);
      if (refused) absent.push({ name: form.name, role: form.role ?? 'saccade', ...refused });
      else contenders.push(functionContender(bench, store, form, point.direction));
    }
    const plain = forms.find(({ name }) => name === EXPLICIT) as OperatorWork;
    const peers = point.direction === 'forward' ? await peersOf(point, tokens, bench, store, plain) : NOBODY;
    const baseline = BASELINES.find((name) => contenders.some((contender) => contender.name === name));
    return {
      contenders: [...contenders, ...peers.contenders],
      ...(baseline !== undefined && { baseline }),
      absent: [...absent, ...peers.absent],
      async dispose() {
        store.dispose();
        await peers.dispose();
      },
    };
  } catch (error) {
    store.dispose();
    throw error;
  }
}

const NOBODY: AskedPeers = { contenders: [], absent: [], dispose: async () => undefined };

/**
 * Peers that compute plain attention. Where it is too large for our explicit path, it is taken to be for theirs, except on
 * GPUs, whose other libraries may have kernels that need no maps.
 */
async function peersOf(
  point: OperatorPoint,
  tokens: Tokens,
  bench: Bench,
  store: InputTensors,
  plain: OperatorWork,
): Promise<AskedPeers> {
  const refused = refusalOf(plain, point, bench);
  if (refused && bench.backend !== 'webgpu') {
    const skipped = bench.peers.map(({ name }) => ({ name, ...refused }));
    return { ...NOBODY, absent: [...bench.absentPeers, ...skipped] };
  }
  const tensors = plain.inputs.map((input) => store.of(input));
  return askAttentionPeers(bench, point, tokens, plain.macs as number, {
    against: EXPLICIT,
    samples: plain.samples,
    ...(!refused && { values: () => valuesOf(() => plain.apply(tensors), 'explicit') }),
  });
}

/** Why work with maps of N x N does not take place here; nothing for who needs none. */
function refusalOf(
  work: OperatorWork,
  point: OperatorPoint,
  bench: Bench,
): Pick<Absent, 'reason' | 'status'> | undefined {
  if (work.maps === undefined) return undefined;
  return tooLarge(work.maps, memoryLimits(bench.backend)) ?? tooMuchWork(work, point, bench);
}

/**
 * The most multiply-accumulates of a run on wasm for who computes with maps of N x N: about a second, so that the suite
 * ends within a quarter of an hour, or an eighth of one for `quick`.
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
