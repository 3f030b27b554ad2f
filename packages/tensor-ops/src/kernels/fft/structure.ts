import { type FftTransforms, placeTokens } from './transforms.ts';

/** Sizes of a correlation, beside the grid. */
export interface FftSizes {
  readonly batch: number;
  readonly heads: number;
  readonly patterns: number;
  readonly channels: number;
  readonly tokens: number;
  /** entries of one table */
  readonly entries: number;
}

const FLOAT = 4;
/** Channels of a field. */
const FIELD_CHANNELS = 8;

/** Channels that go into one field: where they begin, in bytes, and how they lie. */
export interface Block {
  readonly offset: number;
  readonly tokens: number;
}

/** Eight channels at a time: four as real, four as imaginary parts. */
export function channelBlocks(transforms: FftTransforms, channels: number): Block[] {
  const step = channels * FLOAT;
  const upTo4 = (count: number) => Math.max(0, Math.min(4, count));
  const blocks: Block[] = [];
  for (let first = 0; first < channels; first += FIELD_CHANNELS) {
    const [real, imaginary] = [upTo4(channels - first), upTo4(channels - first - 4)];
    const tokens = placeTokens(transforms, { step, real, imaginary, apart: 4 * FLOAT });
    blocks.push({ offset: first * FLOAT, tokens });
  }
  return blocks;
}

/** Places of the inputs, or of their gradients. */
type StructureInputs = readonly [q: number, k: number, v: number, P: number, U: number];

/**
 * `y[n] = sum over d of (q[n] . (P_d * k)[n]) (U_d * v)[n]`, a sample and a head after the other.
 *
 * Beside the spectra of one head's tables there are two fields of eight channels and D numbers for each token.
 */
export function structureForward(
  transforms: FftTransforms,
  sizes: FftSizes,
  [q, k, v, P, U]: StructureInputs,
  y: number,
): void {
  const { machine } = transforms;
  const { patterns } = sizes;
  const run = prepare(transforms, sizes);
  const scores = machine.allocate(run.scoreBytes);
  const [signal, work] = [machine.allocate(run.fieldBytes), machine.allocate(transforms.plan.tokenFieldBytes)];
  clear(machine.floats(), y, sizes.batch * sizes.heads * run.imageBytes);
  for (let head = 0; head < sizes.heads; head++) {
    const [spectraP, spectraU] = run.loadTables(head, P, U);
    for (let b = 0; b < sizes.batch; b++) {
      const image = (b * sizes.heads + head) * run.imageBytes;
      clear(machine.floats(), scores, run.scoreBytes);
      for (const { offset, tokens } of run.blocks) {
        machine.fftLoad(k + image + offset, 0, signal, tokens);
        transforms.analyse(signal);
        for (let d = 0; d < patterns; d++) {
          transforms.correlate(signal, spectraP + d * run.spectrum, work, false);
          machine.fftDot(q + image + offset, work, scores + d * run.tokenBytes, tokens);
        }
      }
      for (const { offset, tokens } of run.blocks) {
        machine.fftLoad(v + image + offset, 0, signal, tokens);
        transforms.analyse(signal);
        for (let d = 0; d < patterns; d++) {
          transforms.correlate(signal, spectraU + d * run.spectrum, work, false);
          machine.fftStore(work, scores + d * run.tokenBytes, y + image + offset, tokens);
        }
      }
    }
  }
}

/**
 * The gradients of {@link structureForward}, with S_d = q . (P_d * k) and dS_d = dy . (U_d * v).
 *
 * First v: dS. Then k: S, dq = sum_d dS_d (P_d * k), dk from the spectra of dS_d q, added up over d. Then v again: dv from
 * those of S_d dy. The gradients of the tables are summed as spectra over channels and samples, and go back once a head.
 */
export function structureBackward(
  transforms: FftTransforms,
  sizes: FftSizes,
  dy: number,
  [q, k, v, P, U]: StructureInputs,
  [dq, dk, dv, dP, dU]: StructureInputs,
): void {
  const { machine } = transforms;
  const { patterns } = sizes;
  const run = prepare(transforms, sizes);
  const [scores, dScores] = [machine.allocate(run.scoreBytes), machine.allocate(run.scoreBytes)];
  const spectraBytes = patterns * run.spectrum;
  const [crossP, crossU] = [machine.allocate(spectraBytes), machine.allocate(spectraBytes)];
  const [signal, sum] = [machine.allocate(run.fieldBytes), machine.allocate(run.fieldBytes)];
  const work = machine.allocate(transforms.plan.tokenFieldBytes);
  const memory = machine.floats();
  clear(memory, dq, sizes.batch * sizes.heads * run.imageBytes);
  for (const table of [dP, dU]) clear(memory, table, sizes.heads * run.tableBytes);

  /** One of the halves: dk and dP from dS q, or dv and dU from S dy. */
  const spread = (
    slopes: number,
    weights: number,
    spectra: number,
    cross: number,
    target: number,
    tokens: number,
    before: (d: number) => void,
  ) => {
    clear(memory, sum, run.fieldBytes);
    for (let d = 0; d < patterns; d++) {
      before(d);
      machine.fftLoad(slopes, weights + d * run.tokenBytes, work, tokens);
      transforms.accumulate(work, spectra + d * run.spectrum, sum, signal, cross + d * run.spectrum, false);
    }
    transforms.synthesise(sum);
    machine.fftStore(sum, 0, target, tokens);
  };

  for (let head = 0; head < sizes.heads; head++) {
    const [spectraP, spectraU] = run.loadTables(head, P, U);
    for (const cross of [crossP, crossU]) clear(memory, cross, spectraBytes);
    for (let b = 0; b < sizes.batch; b++) {
      const image = (b * sizes.heads + head) * run.imageBytes;
      for (const some of [scores, dScores]) clear(memory, some, run.scoreBytes);
      for (const { offset, tokens } of run.blocks) {
        machine.fftLoad(v + image + offset, 0, signal, tokens);
        transforms.analyse(signal);
        for (let d = 0; d < patterns; d++) {
          transforms.correlate(signal, spectraU + d * run.spectrum, work, false);
          machine.fftDot(dy + image + offset, work, dScores + d * run.tokenBytes, tokens);
        }
      }
      for (const { offset, tokens } of run.blocks) {
        const at = image + offset;
        machine.fftLoad(k + at, 0, signal, tokens);
        transforms.analyse(signal);
        spread(q + at, dScores, spectraP, crossP, dk + at, tokens, (d) => {
          transforms.correlate(signal, spectraP + d * run.spectrum, work, false);
          machine.fftDot(q + at, work, scores + d * run.tokenBytes, tokens);
          machine.fftStore(work, dScores + d * run.tokenBytes, dq + at, tokens);
        });
      }
      for (const { offset, tokens } of run.blocks) {
        const at = image + offset;
        machine.fftLoad(v + at, 0, signal, tokens);
        transforms.analyse(signal);
        spread(dy + at, scores, spectraU, crossU, dv + at, tokens, () => {});
      }
    }
    transforms.addTables(crossP, dP + head * run.tableBytes, patterns, false);
    transforms.addTables(crossU, dU + head * run.tableBytes, patterns, false);
  }
}

/** What both directions need: sizes in bytes, the blocks of channels, the spectra of a head's tables. */
function prepare(transforms: FftTransforms, { channels, entries, patterns, tokens }: FftSizes) {
  const { machine, plan } = transforms;
  const spectrum = transforms.spectrumBytes(false);
  const tableBytes = patterns * entries * FLOAT;
  const spectra = [machine.allocate(patterns * spectrum), machine.allocate(patterns * spectrum)] as const;
  return {
    blocks: channelBlocks(transforms, channels),
    fieldBytes: plan.fieldBytes,
    spectrum,
    tableBytes,
    tokenBytes: tokens * FLOAT,
    scoreBytes: patterns * tokens * FLOAT,
    imageBytes: tokens * channels * FLOAT,
    loadTables: (head: number, ...tables: readonly [number, number]) => {
      tables.forEach((table, i) => {
        transforms.loadTables(table + head * tableBytes, patterns, spectra[i] as number, false);
      });
      return spectra;
    },
  };
}

/** Fills some bytes with zeros. */
export function clear(memory: Float32Array, place: number, bytes: number): void {
  memory.fill(0, place / FLOAT, (place + bytes) / FLOAT);
}
