import { formatBytes } from '@saccade/command-kit/format';
import { grouped } from '../core/grouped.ts';
import type { Row } from '../core/row.ts';
import type { RunLine, SlopeLine } from '../core/run.ts';
import { comparisonsOf, fastestOfSameWork, refusedOf, timeRatioOf } from './losses.ts';
import { type Run, runOf } from './run.ts';
import { isTime, parametersText, quantityText, ratioText, times, words } from './sections/numbers.ts';

type Cells = readonly string[];

/** What a table is to contain: if a run has none of it, it is named below the tables. */
interface Headline {
  readonly name: string;
  lines(run: Run): readonly Cells[];
}

interface Table {
  readonly title: string;
  readonly heading: Cells;
  readonly headlines: readonly Headline[];
}

const AGAINST = ['what', 'backend', 'ours', 'other', 'time, ours by the other’s', 'memory'] as const;

const TABLES: readonly Table[] = [
  {
    title: 'Networks beside other libraries',
    heading: AGAINST,
    headlines: [
      { name: 'ViT-S', lines: againstPeers('backbones', /^peers\/vit-s\//) },
      { name: 'ResNet-50', lines: againstPeers('backbones', /^peers\/resnet50\//) },
    ],
  },
  {
    title: 'Growth with N: slopes of log(quantity) over log(N)',
    heading: ['contender', 'backend', 'parameters', 'time', 'processor time', 'memory', 'N'],
    headlines: [
      { name: 'slope of LiSA', lines: slopesOf(/^LiSA/) },
      { name: 'slope of softmax attention', lines: slopesOf(/^(?:plain|softmax|global) attention/) },
      { name: 'slope of DG-Attention', lines: slopesOf(/^DG/) },
    ],
  },
  {
    title: 'Operators',
    heading: AGAINST,
    headlines: [
      {
        name: 'DG-Attention at N = 3136',
        lines: againstBaseline(
          ({ contender, parameters }) => /^DG/.test(contender) && parameters.tokens === 3136 && parameters.batch !== 8,
        ),
      },
      {
        name: 'Attention-in-Attention in TSM-ResNet-50',
        lines: againstBaseline(
          ({ contender, comparison, parameters }) =>
            /tsm[-_ ]?resnet-?50/i.test(`${comparison} ${parametersText(parameters)} ${contender}`) &&
            /CinST|STinC|AIA/i.test(contender),
        ),
      },
    ],
  },
  {
    title: 'StructSA, fused by explicit, on software WebGPU (a driver on the processor: nothing about a GPU)',
    heading: AGAINST,
    headlines: [{ name: 'StructSA fused on software WebGPU', lines: fusedStructSA }],
  },
  {
    title: 'Weights and media',
    heading: AGAINST,
    headlines: [
      { name: 'loading weights beside PyTorch', lines: againstPeers('weights', /^(?:fresh|formats|parse)\//) },
      { name: 'decoding video beside ffmpeg', lines: againstPeers('data', /^video\//) },
    ],
  },
  { title: 'Bundles', heading: ['import', 'bytes'], headlines: [{ name: 'bundle sizes', lines: bundles }] },
];

/**
 * The headline figures of a run as tables in Markdown: ratios, slopes and bytes. What the run does not have is left out and
 * named at the end.
 *
 * @param lines the header first
 * @throws {RunLinesError} if they are not those of a run
 */
export function summaryTables(lines: readonly RunLine[]): string {
  const run = runOf(lines);
  const tables = TABLES.map(({ title, heading, headlines }) => {
    const body = headlines.flatMap((headline) => headline.lines(run));
    return body.length === 0 ? [] : [`**${title}**`, markdownTable(heading, body)];
  });
  const missing = TABLES.flatMap(({ headlines }) => headlines.filter((headline) => headline.lines(run).length === 0));
  const names = missing.map(({ name }) => name).join(', ');
  return [...tables.flat(), ...(names ? [`Not in this run: ${names}.`] : [])].join('\n\n');
}

function markdownTable(heading: Cells, body: readonly Cells[]): string {
  const line = (cells: Cells) => `| ${cells.map(inCell).join(' | ')} |`;
  return [line(heading), line(heading.map(() => '---')), ...body.map(line)].join('\n');
}

function inCell(text: string): string {
  return text.replace(/\s+/g, ' ').replace(/[&<>|]/g, (character) => `&#${character.charCodeAt(0)};`);
}

function onHardware(rows: readonly Row[]): Row[] {
  return rows.filter(({ softwareGpu }) => !softwareGpu);
}

/** The fastest of ours against every peer; a peer that was not measured says why. */
function againstPeers(suite: string, comparison: RegExp): Headline['lines'] {
  return ({ rows }) =>
    comparisonsOf(onHardware(rows).filter((row) => row.suite === suite && comparison.test(row.comparison))).flatMap(
      (own) =>
        own.flatMap((peer) => {
          if (peer.role !== 'peer') return [];
          const ours = fastestOfSameWork(own, peer) ?? refusedOf(own, peer);
          return ours ? [beside(ours, peer)] : [];
        }),
    );
}

/** Rows of ours against the baseline of their comparison. */
function againstBaseline(wanted: (row: Row) => boolean): Headline['lines'] {
  return ({ rows }) =>
    comparisonsOf(onHardware(rows)).flatMap((own) =>
      own.flatMap((row) => {
        const baseline = own.find(({ contender }) => contender === row.baseline);
        return row.role === 'saccade' && row !== baseline && baseline && wanted(row) ? [beside(row, baseline)] : [];
      }),
    );
}

function fusedStructSA({ rows }: Run): Cells[] {
  return comparisonsOf(rows.filter(({ softwareGpu }) => softwareGpu)).flatMap((own) => {
    const form = (name: RegExp) => own.find(({ contender, status }) => name.test(contender) && status === 'measured');
    const [fused, explicit] = [form(/StructSA.*fused/i), form(/StructSA.*explicit/i)];
    return fused && explicit ? [beside(fused, explicit)] : [];
  });
}

function beside(ours: Row, theirs: Row): Cells {
  const { comparison, backend } = ours;
  const where = ours.softwareGpu ? `${backend}, software` : backend;
  const other = theirs.engine ?? theirs.contender;
  const names = [comparison, where, ours.contender];
  const refused = [theirs, ours].find(({ status }) => status !== 'measured');
  if (refused !== undefined) {
    const why = [refused.status, refused.reason].filter(Boolean).join(': ').slice(0, 120);
    return [...names, theirs.contender, refused === ours ? `ours ${why}` : why, ''];
  }
  const ratio = timeRatioOf(ours, theirs);
  return [...names, other, ratio ? ratioText(ratio) : '', memoryText(ours, theirs)];
}

/** Peaks, where both are known of the same kind of memory. */
function memoryText(ours: Row, theirs: Row): string {
  for (const kind of ['peakDeviceBytes', 'peakTensorBytes'] as const) {
    const [own, other] = [ours[kind] ?? 0, theirs[kind] ?? 0];
    if (own > 0 && other > 0) return `${times(own / other)} (${formatBytes(own)})`;
  }
  return '';
}

/** Of a forward pass of one sample. */
function slopesOf(contender: RegExp): Headline['lines'] {
  const wanted = ({ softwareGpu, parameters: { batch = 1, direction = 'forward' }, ...line }: SlopeLine) =>
    !softwareGpu && contender.test(line.contender) && batch === 1 && direction === 'forward';
  return ({ slopes }) =>
    [
      ...grouped(slopes.filter(wanted), (line) =>
        JSON.stringify([line.suite, line.backend, line.contender, line.parameters]),
      ).values(),
    ].map((series) => {
      const [first] = series as [SlopeLine];
      const slope = (...quantities: SlopeLine['quantity'][]) => {
        const line = quantities.map((quantity) => series.find((one) => one.quantity === quantity)).find(Boolean);
        return line?.slope.toFixed(2) ?? '';
      };
      return [
        first.contender,
        first.backend,
        parametersText(first.parameters),
        slope('gpuMs', 'wallMs'),
        slope('cpuMs'),
        slope('peakDeviceBytes', 'peakTensorBytes'),
        first.tokens.join(', '),
      ];
    });
}

/** Whole pages, and of our imports those that have a budget. */
function bundles({ rows }: Run): Cells[] {
  return rows
    .filter(
      ({ suite, comparison, quantities }) =>
        suite === 'bundle' && quantities && !/^imports\/(?!budgets)/.test(comparison),
    )
    .map(({ contender, comparison, quantities = {} }) => [
      `${contender} (${comparison})`,
      Object.entries(quantities)
        .filter(([name]) => !isTime(name))
        .map(([name, value]) => `${words(name)} ${quantityText(name, value)}`)
        .join(', '),
    ]);
}
