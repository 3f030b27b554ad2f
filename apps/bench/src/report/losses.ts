import { grouped } from '../core/grouped.ts';
import type { Ratio, Row } from '../core/row.ts';
import { pairedRatio } from '../core/statistics.ts';

/** Something of ours that takes more than something else in the same comparison. */
export interface Loss {
  readonly ours: Row;
  readonly theirs: Row;
  /** `time`, `memory`, or the name of what was measured instead */
  readonly what: string;
  /** ours by theirs, above 1; without an interval where it was counted, not sampled */
  readonly ratio: Pick<Ratio, 'value'> & Partial<Ratio>;
}

/**
 * Where a peer needs less than we do, the worst first. "We" are the fastest of our contenders that do the peer's work: all,
 * but where operators are compared (peers compute plain attention there) or several kinds of a thing, such as formats.
 */
export function peerLosses(rows: readonly Row[]): Loss[] {
  return comparisonsOf(rows)
    .flatMap((own) => {
      const peers = own.filter(({ role, status }) => role === 'peer' && status === 'measured');
      return peers.flatMap((peer) => {
        const ours = sameWork(own, peer);
        return [...timeLoss(ours, peer), ...memoryLoss(ours, peer), ...quantityLosses(ours, peer)];
      });
    })
    .sort(worstFirst);
}

/** A peer that did what we did not: too slow, too large, wrong, or broken. */
export interface Gap {
  readonly ours: Row;
  readonly theirs: Row;
}

/** Where a peer was measured and nothing of ours that does its work. */
export function peerGaps(rows: readonly Row[]): Gap[] {
  return comparisonsOf(rows).flatMap((own) => {
    const peers = own.filter(({ role, status }) => role === 'peer' && status === 'measured');
    return peers.flatMap((theirs) => {
      const ours = refusedOf(own, theirs);
      return ours ? [{ ours, theirs }] : [];
    });
  });
}

/** Of ours that should have done what this peer does, one that was refused a time; nothing where another one has a time. */
export function refusedOf(own: readonly Row[], peer: Row): Row | undefined {
  if (sameWork(own, peer).length > 0) return undefined;
  return withSameWork(own, peer).find(({ status }) => status !== 'absent');
}

/** Comparisons in which there is a peer to lose against. */
export function comparisonsWithPeers(rows: readonly Row[]): number {
  const measured = rows.filter(({ status }) => status === 'measured');
  return comparisonsOf(measured).filter((own) => new Set(own.map(({ role }) => role)).size > 1).length;
}

/**
 * Where something of ours is slower than a baseline that is ours too, the worst first: operators than the fastest form of
 * plain attention, networks than their plain twin. Networks of another size are no rivals.
 */
export function baselineLosses(rows: readonly Row[]): Loss[] {
  return comparisonsOf(rows.filter(({ suite }) => !UNEQUAL_SUITES.includes(suite)))
    .flatMap((own) => {
      const operators = own[0]?.suite === 'operators';
      const plain = operators ? fastestOf(own.filter(isPlainAttention)) : baselineOf(own);
      if (plain?.role !== 'saccade') return [];
      const rival = (row: Row) => (operators ? !isPlainAttention(row) : row !== plain && !isLarger(row, plain));
      return own.flatMap((row) => (row.role === 'saccade' && rival(row) ? timeLoss([row], plain) : []));
    })
    .sort(worstFirst);
}

/** Quotient of two times of one comparison: over the rounds where both have their samples. */
export function timeRatioOf(a: Row, b: Row): Ratio | undefined {
  if (a.wallMs === undefined || b.wallMs === undefined) return undefined;
  if (a.samplesMs?.length && a.samplesMs.length === b.samplesMs?.length) return pairedRatio(a.samplesMs, b.samplesMs);
  const [[aLow, aHigh], [bLow, bHigh]] = [a.wallMs.interval, b.wallMs.interval];
  return { value: a.wallMs.median / b.wallMs.median, interval: [aLow / bHigh, aHigh / bLow] };
}

/** Rows of each comparison on each backend. */
export function comparisonsOf(rows: readonly Row[]): Row[][] {
  return [
    ...grouped(rows, (row) => JSON.stringify([row.suite, row.comparison, row.backend, row.softwareGpu])).values(),
  ];
}

/** A peer's or our own contender that the others are divided by. */
export function baselineOf(own: readonly Row[]): Row | undefined {
  const name = own.find(({ baseline }) => baseline !== undefined)?.baseline;
  return own.find(({ contender }) => contender === name);
}

/** There, ours beside ours are steps and ways of one thing (decoding, and decoding with augmentation), not rivals. */
const UNEQUAL_SUITES: readonly string[] = ['data', 'weights', 'bundle'];

/** `plain attention (explicit)` and `plain attention (fused)` */
function isPlainAttention({ contender }: Row): boolean {
  return contender.startsWith('plain attention');
}

/** So many times the multiply-accumulates of another network are those of another size. */
const LARGER = 1.5;

function isLarger({ cost }: Row, than: Row): boolean {
  return (cost?.macs ?? 0) > LARGER * (than.cost?.macs ?? Number.POSITIVE_INFINITY);
}

/** Of our contenders that do what this peer does. */
export function fastestOfSameWork(own: readonly Row[], peer: Row): Row | undefined {
  return fastestOf(sameWork(own, peer));
}

function sameWork(own: readonly Row[], peer: Row): Row[] {
  return withSameWork(own, peer).filter(({ status }) => status === 'measured');
}

/** Measured or not. */
function withSameWork(own: readonly Row[], peer: Row): Row[] {
  const ours = own.filter(({ role }) => role === 'saccade');
  if (peer.suite === 'operators') return ours.filter(isPlainAttention);
  const alike = ours.filter((row) => kindOf(row) !== undefined && kindOf(row) === kindOf(peer));
  return alike.length > 0 ? alike : ours;
}

/** What of several kinds is meant, such as the format of a file: `PyTorch, .pth` -> `.pth` */
function kindOf({ contender }: Row): string | undefined {
  return contender.split(', ')[1];
}

function fastestOf(rows: readonly Row[]): Row | undefined {
  const [first, ...others] = rows.filter(({ wallMs }) => wallMs !== undefined);
  const time = ({ wallMs }: Row) => wallMs?.median ?? Number.POSITIVE_INFINITY;
  return first && others.reduce((best, row) => (time(row) < time(best) ? row : best), first);
}

function timeLoss(ours: readonly Row[], theirs: Row): Loss[] {
  const fastest = fastestOf(ours);
  const ratio = fastest && timeRatioOf(fastest, theirs);
  return fastest && ratio && ratio.value > 1 ? [{ ours: fastest, theirs, what: 'time', ratio }] : [];
}

function memoryLoss(ours: readonly Row[], theirs: Row): Loss[] {
  const peak = ({ peakDeviceBytes, peakTensorBytes = 0 }: Row) => peakDeviceBytes ?? peakTensorBytes;
  return least(ours, theirs, 'memory', peak);
}

/** Of the sizes of a bundle, the one that users wait for. */
const DOWNLOADED = 'gzipBytes';

/** Of what is measured instead of a time; beside times, quantities explain rather than compete. */
function quantityLosses(ours: readonly Row[], theirs: Row): Loss[] {
  if (theirs.wallMs !== undefined) return [];
  const all = Object.keys(theirs.quantities ?? {});
  const names = all.includes(DOWNLOADED) ? [DOWNLOADED] : all;
  return names.flatMap((name) => least(ours, theirs, name, ({ quantities }) => quantities?.[name] ?? 0));
}

function least(ours: readonly Row[], theirs: Row, what: string, amount: (row: Row) => number): Loss[] {
  const [first, ...others] = ours.filter((row) => amount(row) > 0);
  if (first === undefined || amount(theirs) <= 0) return [];
  const best = others.reduce((one, row) => (amount(row) < amount(one) ? row : one), first);
  const value = amount(best) / amount(theirs);
  return value > 1 ? [{ ours: best, theirs, what, ratio: { value } }] : [];
}

function worstFirst(a: Loss, b: Loss): number {
  return b.ratio.value - a.ratio.value;
}
