import { type Block, channelBlocks, clear, type FftSizes } from './structure.ts';
import { type FftTransforms, placeTokens } from './transforms.ts';

const FLOAT = 4;

/** What shares one set of spectra: the channels of a head, or (a table for each channel) four channels of it. */
interface Group {
  /** of the group's tables, in bytes */
  readonly tables: number;
  /** how many tables it has */
  readonly count: number;
  /** fields: where they begin in x, and in the result that begins at the group's first table */
  readonly blocks: readonly { readonly x: number; readonly y: number; readonly tokens: number }[];
}

/** `y[b, head, d, n] = sum over m of table[head, d][m - n] x[b, head, m]`; `wide`: of table[head, channel], without d. */
export function correlationForward(
  transforms: FftTransforms,
  sizes: FftSizes,
  wide: boolean,
  [x, table]: readonly [number, number],
  y: number,
): void {
  const { machine, plan } = transforms;
  const spectrum = transforms.spectrumBytes(wide);
  const patterns = wide ? 1 : sizes.patterns;
  const image = sizes.tokens * sizes.channels * FLOAT;
  const all = groups(transforms, sizes, wide);
  const spectra = machine.allocate(patterns * spectrum);
  const [signal, work] = [machine.allocate(plan.fieldBytes), machine.allocate(plan.tokenFieldBytes)];
  for (const group of all) {
    transforms.loadTables(table + group.tables, group.count, spectra, wide);
    for (const block of group.blocks) {
      machine.fftLoad(x + block.x, 0, signal, block.tokens);
      transforms.analyse(signal);
      for (let d = 0; d < patterns; d++) {
        transforms.correlate(signal, spectra + d * spectrum, work, wide);
        machine.fftStore(work, 0, y + block.y + d * image, block.tokens);
      }
    }
  }
}

/** Its gradients: dx by the transposed correlation of dy, dtable by correlation of dy with x. */
export function correlationBackward(
  transforms: FftTransforms,
  sizes: FftSizes,
  wide: boolean,
  [dy, x, table]: readonly [number, number, number],
  [dx, dTable]: readonly [number, number],
): void {
  const { machine, plan } = transforms;
  const spectrum = transforms.spectrumBytes(wide);
  const patterns = wide ? 1 : sizes.patterns;
  const image = sizes.tokens * sizes.channels * FLOAT;
  const all = groups(transforms, sizes, wide);
  const [spectra, cross] = [machine.allocate(patterns * spectrum), machine.allocate(patterns * spectrum)];
  const [signal, sum] = [machine.allocate(plan.fieldBytes), machine.allocate(plan.fieldBytes)];
  const work = machine.allocate(plan.tokenFieldBytes);
  const memory = machine.floats();
  for (const group of all) {
    transforms.loadTables(table + group.tables, group.count, spectra, wide);
    clear(memory, cross, patterns * spectrum);
    for (const block of group.blocks) {
      machine.fftLoad(x + block.x, 0, signal, block.tokens);
      transforms.analyse(signal);
      clear(memory, sum, plan.fieldBytes);
      for (let d = 0; d < patterns; d++) {
        machine.fftLoad(dy + block.y + d * image, 0, work, block.tokens);
        transforms.accumulate(work, spectra + d * spectrum, sum, signal, cross + d * spectrum, wide);
      }
      transforms.synthesise(sum);
      machine.fftStore(sum, 0, dx + block.x, block.tokens);
    }
    clear(memory, dTable + group.tables, group.count * sizes.entries * FLOAT);
    transforms.addTables(cross, dTable + group.tables, group.count, wide);
  }
}

function groups(transforms: FftTransforms, sizes: FftSizes, wide: boolean): Group[] {
  const { batch, channels, entries, heads, patterns, tokens } = sizes;
  const image = tokens * channels * FLOAT;
  const result: Group[] = [];
  if (!wide) {
    const blocks = channelBlocks(transforms, channels);
    for (let head = 0; head < heads; head++) {
      const places = Array.from({ length: batch }, (_, b) => b * heads + head).flatMap((place) =>
        blocks.map(({ offset, tokens }: Block) => {
          return { x: place * image + offset, y: place * patterns * image + offset, tokens };
        }),
      );
      result.push({ tables: head * patterns * entries * FLOAT, count: patterns, blocks: places });
    }
    return result;
  }
  // Each lane has a table of its own. Two samples share a lane, as its real and imaginary part.
  const [step, apart] = [channels * FLOAT, heads * image];
  for (let first = 0; first < channels; first += 4) {
    const real = Math.min(4, channels - first);
    const [pair, single] = [real, 0].map((imaginary) => placeTokens(transforms, { step, real, imaginary, apart }));
    for (let head = 0; head < heads; head++) {
      const blocks = Array.from({ length: Math.ceil(batch / 2) }, (_, i) => {
        const place = 2 * i * apart + head * image + first * FLOAT;
        return { x: place, y: place, tokens: (2 * i + 1 < batch ? pair : single) as number };
      });
      result.push({ tables: (head * channels + first) * entries * FLOAT, count: real, blocks });
    }
  }
  return result;
}
