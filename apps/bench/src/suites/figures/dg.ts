import type { Bench, Comparison, Contender, SuitePlace } from '../../core/comparison.ts';
import type { Direction } from '../support/functionWork.ts';
import { type DgSetting, DgWork, STAGE } from './dgWork.ts';

const DG = 'DG-Attention';
const ALL = 'attention between all tokens';
/** Attention between all is measured up to here: beyond, its maps take gigabytes. */
const MOST_TOKENS = 3136;

/** Time and memory of DG-Attention beside attention between all tokens, over N, k and G. */
export function dgComparisons({ scale }: SuitePlace): Comparison[] {
  if (scale === 'quick') return [againstAll({ ...STAGE, tokens: 784 }, 'forward')];
  return [
    ...[784, 1568, 3136, 6272, 12544].map((tokens) => againstAll({ ...STAGE, tokens }, 'forward')),
    againstAll(STAGE, 'forward+backward'),
    parts(STAGE),
    sweep(
      'keys',
      [24, 49, 98, 196, 392].map((topK) => ({ ...STAGE, topK })),
    ),
    sweep(
      'groups',
      [12, 24, 48, 96, 192].map((groups) => ({ ...STAGE, groups })),
    ),
  ];
}

/** DG-Attention and, up to some size, attention between all tokens. */
export function againstAll(setting: DgSetting, direction: Direction): Comparison {
  const { tokens } = setting;
  return comparison(`n${tokens}/${direction.replace('+', '-')}`, { ...parametersOf(setting), direction }, (bench) => {
    const work = new DgWork(bench, setting);
    const own = work.grouped(DG, direction);
    return {
      works: [work],
      contenders: tokens <= MOST_TOKENS ? [work.global(ALL, direction), own] : [own],
      baseline: tokens <= MOST_TOKENS ? ALL : DG,
    };
  });
}

/** How much of DG-Attention is finding the groups, and how much is attention in them. */
export function parts(setting: DgSetting): Comparison {
  return comparison(`n${setting.tokens}/parts`, { ...parametersOf(setting), direction: 'forward' }, (bench) => {
    const work = new DgWork(bench, setting);
    return {
      works: [work],
      contenders: [work.grouped(DG, 'forward'), work.routing('routing'), work.withinGroups('within groups')],
      baseline: DG,
    };
  });
}

/** DG-Attention with more and more of one thing, against what it usually has. */
function sweep(what: 'keys' | 'groups', settings: readonly DgSetting[]): Comparison {
  const nameOf = ({ groups, topK }: DgSetting) => (what === 'keys' ? `${DG}, k = ${topK}` : `${DG}, G = ${groups}`);
  const parameters = { channels: STAGE.heads * STAGE.size, heads: STAGE.heads, n: STAGE.tokens };
  return comparison(`n${STAGE.tokens}/${what}`, { ...parameters, direction: 'forward' }, (bench) => {
    const works = settings.map((setting) => ({ setting, work: new DgWork(bench, setting) }));
    return {
      works: works.map(({ work }) => work),
      contenders: works.map(({ setting, work }) => work.grouped(nameOf(setting), 'forward')),
      baseline: nameOf(STAGE),
    };
  });
}

const parametersOf = ({ tokens, heads, size, groups, topK }: DgSetting) => ({
  tokens,
  channels: heads * size,
  heads,
  groups,
  keys: topK,
});

function comparison(
  id: string,
  parameters: Comparison['parameters'],
  make: (bench: Bench) => {
    readonly works: readonly DgWork[];
    readonly contenders: readonly Contender[];
    readonly baseline: string;
  },
): Comparison {
  return {
    suite: 'figures',
    id: `dg/${id}`,
    parameters,
    async prepare(bench) {
      const { works, contenders, baseline } = make(bench);
      return {
        contenders,
        baseline,
        dispose() {
          for (const work of works) work.dispose();
        },
      };
    },
  };
}
