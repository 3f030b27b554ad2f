import { product } from '../../shape.ts';
import { type FftPlan, POSITION_BYTES } from './plan.ts';
import type { FftMachine, Lines, Tokens } from './primitives.ts';

const FLOAT = 4;
/** Tables that are transformed at once: one for each lane. */
const LANES = 4;
/** Numbers of a position of a field. */
const POSITION = POSITION_BYTES / FLOAT;
/** One complex number. */
const NARROW_BYTES = 2 * FLOAT;

/** The transforms of one grid, ready in the memory of a machine. */
export interface FftTransforms {
  readonly plan: FftPlan;
  readonly machine: FftMachine;
  /** bytes of the spectrum of one table, or (wide) of four */
  spectrumBytes(wide: boolean): number;
  /** Transforms a field of tokens. */
  analyse(field: number): void;
  /** `target = inverse of (conj(spectrum) signal)`, where tokens are. */
  correlate(signal: number, spectrum: number, target: number, wide: boolean): void;
  /** Transforms a field of tokens; then `sum += spectrum field` and `cross += conj(field) other`. */
  accumulate(field: number, spectrum: number, sum: number, other: number, cross: number, wide: boolean): void;
  /** The inverse of {@link analyse}, times {@link FftPlan.frequencies}. */
  synthesise(field: number): void;
  /** Spectra of `count` tables that lie one after the other, divided by the number of frequencies. */
  loadTables(tables: number, count: number, spectra: number, wide: boolean): void;
  /** Adds to `count` tables what `spectra`, sums of {@link accumulate}, are the spectra of. */
  addTables(spectra: number, tables: number, count: number, wide: boolean): void;
}

/** Puts the constants of a plan into a machine's memory. */
export function fftTransforms(plan: FftPlan, machine: FftMachine): FftTransforms {
  const twiddles = plan.axes.map((axis) => {
    const place = machine.allocate(Math.max(1, axis.twiddles.length) * FLOAT);
    machine.floats().set(axis.twiddles, place / FLOAT);
    return place;
  });
  const structures = (whole: boolean) =>
    plan.lengths.map((_, axis) => placeStructure(machine, linesOf(plan, axis, whole, twiddles[axis] as number)));
  const [padded, whole] = [structures(false), structures(true)] as [number[], number[]];
  const [last, ...others] = plan.active as [number, ...number[]];
  const some = machine.allocate(machine.fftScratch(plan.lengths[last] as number));
  const scratch = machine.allocate(plan.fieldBytes);
  const spectrumBytes = (wide: boolean) => plan.frequencies * (wide ? POSITION_BYTES : NARROW_BYTES);
  const analyse = (field: number, lines: readonly number[], axes: readonly number[]) => {
    for (const axis of [...axes].reverse()) machine.fftForward(field, lines[axis] as number);
  };
  const synthesise = (field: number, lines: readonly number[], axes: readonly number[]) => {
    for (const axis of axes) machine.fftInverse(field, lines[axis] as number);
  };
  const tableBytes = product(plan.offsets) * FLOAT;
  return {
    plan,
    machine,
    spectrumBytes,
    analyse: (field) => analyse(field, padded, plan.active),
    synthesise: (field) => synthesise(field, padded, plan.active),
    correlate: (signal, spectrum, target, wide) => {
      machine.fftInverseProduct(signal, spectrum, target, wide, some, padded[last] as number);
      synthesise(target, padded, others);
    },
    accumulate: (field, spectrum, sum, other, cross, wide) => {
      analyse(field, padded, others);
      machine.fftForwardProducts(field, spectrum, sum, other, cross, wide, some, padded[last] as number);
    },
    loadTables: (tables, count, spectra, wide) => {
      for (let d = 0; d < count; d += LANES) {
        const lanes = Math.min(LANES, count - d);
        const memory = machine.floats();
        memory.fill(0, scratch / FLOAT, (scratch + plan.fieldBytes) / FLOAT);
        copyTables(plan, memory, { field: scratch, tables: tables + d * tableBytes, lanes, toField: true });
        analyse(scratch, whole, plan.active);
        const target = spectra + (wide ? d / LANES : d) * spectrumBytes(wide);
        copySpectra(plan, memory, { field: scratch, spectra: target, lanes, wide, toField: false });
      }
    },
    addTables: (spectra, tables, count, wide) => {
      for (let d = 0; d < count; d += LANES) {
        const lanes = Math.min(LANES, count - d);
        const memory = machine.floats();
        const source = spectra + (wide ? d / LANES : d) * spectrumBytes(wide);
        copySpectra(plan, memory, { field: scratch, spectra: source, lanes, wide, toField: true });
        synthesise(scratch, whole, plan.active);
        copyTables(plan, memory, { field: scratch, tables: tables + d * tableBytes, lanes, toField: false });
      }
    },
  };
}

/** The lines of a field along an axis: those that hold tokens, or all of them (`whole`: tables, which have no padding). */
function linesOf({ lengths, sizes, strides }: FftPlan, axis: number, whole: boolean, twiddles: number): Lines {
  const [inner, outer] = [
    [2, 1],
    [2, 0],
    [1, 0],
  ][axis] as [number, number];
  const compact = [lengths[1] * lengths[2], lengths[2], 1];
  // Axes are transformed from the last to the first: the later ones are complete, the earlier hold tokens only.
  const count = (other: number) => (whole || other > axis ? lengths[other] : sizes[other]) as number;
  return {
    length: lengths[axis] as number,
    size: (whole ? lengths[axis] : sizes[axis]) as number,
    stride: strides[axis] as number,
    inner: count(inner),
    innerStride: strides[inner] as number,
    outer: count(outer),
    outerStride: strides[outer] as number,
    compactStride: compact[axis] as number,
    compactInner: compact[inner] as number,
    compactOuter: compact[outer] as number,
    twiddles,
  };
}

/** Writes a structure of int32 into memory. */
function placeStructure(machine: FftMachine, structure: Lines | Tokens): number {
  const values = Object.values(structure) as number[];
  const place = machine.allocate(values.length * FLOAT);
  machine.integers().set(values, place / FLOAT);
  return place;
}

/** Some channels of a tensor's tokens as the lanes of a field. */
export function placeTokens(
  { plan, machine }: FftTransforms,
  lanes: Pick<Tokens, 'step' | 'real' | 'imaginary' | 'apart'>,
): number {
  const [depth, rows, columns] = plan.sizes;
  const [planeStride, rowStride] = plan.strides;
  const { step, real, imaginary, apart } = lanes;
  return placeStructure(machine, { rows, columns, depth, planeStride, rowStride, step, real, imaginary, apart });
}

interface TableCopy {
  readonly field: number;
  /** of the first lane's; those of the others follow */
  readonly tables: number;
  readonly lanes: number;
  /** else the real parts of the field, divided by the number of frequencies, are added to the tables */
  readonly toField: boolean;
}

/** Copies between tables, one a lane, and the positions of a field at which their offsets stand. */
function copyTables(plan: FftPlan, memory: Float32Array, { field, tables, lanes, toField }: TableCopy): void {
  const { axes, frequencies, offsets, strides } = plan;
  const [planes, rows, columns] = axes.map(({ entries }) => entries) as [Int32Array, Int32Array, Int32Array];
  for (let a = 0; a < planes.length; a++) {
    for (let b = 0; b < rows.length; b++) {
      const [plane, row] = [planes[a] as number, rows[b] as number];
      if (plane < 0 || row < 0) continue;
      const place = (field + a * strides[0] + b * strides[1]) / FLOAT;
      const first = tables / FLOAT + (plane * offsets[1] + row) * offsets[2];
      for (let lane = 0; lane < lanes; lane++) {
        const table = first + lane * product(offsets);
        for (let c = 0; c < columns.length; c++) {
          const entry = columns[c] as number;
          if (entry < 0) continue;
          const at = place + c * POSITION + lane;
          if (toField) memory[at] = memory[table + entry] as number;
          else (memory[table + entry] as number) += (memory[at] as number) / frequencies;
        }
      }
    }
  }
}

interface SpectraCopy {
  readonly field: number;
  readonly spectra: number;
  readonly lanes: number;
  readonly wide: boolean;
  /** else to the spectra, divided by the number of frequencies */
  readonly toField: boolean;
}

/** Copies between the lanes of a field and spectra; lanes that have none become 0. */
function copySpectra(plan: FftPlan, memory: Float32Array, { field, spectra, lanes, wide, toField }: SpectraCopy): void {
  const { frequencies, lengths, strides } = plan;
  // Distances in numbers: of neighbouring frequencies, of neighbouring lanes, of real and imaginary parts.
  const [step, apart, parts] = wide ? [POSITION, 1, LANES] : [2, 2 * frequencies, 1];
  const columns = lengths[2];
  for (let a = 0; a < lengths[0]; a++) {
    for (let b = 0; b < lengths[1]; b++) {
      const place = (field + a * strides[0] + b * strides[1]) / FLOAT;
      const first = spectra / FLOAT + (a * lengths[1] + b) * columns * step;
      for (let lane = 0; lane < LANES; lane++) {
        const inside = lane < lanes;
        for (let c = 0; c < columns; c++) {
          const re = place + c * POSITION + lane;
          const at = first + c * step + lane * apart;
          if (toField) {
            memory[re] = inside ? (memory[at] as number) : 0;
            memory[re + LANES] = inside ? (memory[at + parts] as number) : 0;
          } else if (inside) {
            memory[at] = (memory[re] as number) / frequencies;
            memory[at + parts] = (memory[re + LANES] as number) / frequencies;
          }
        }
      }
    }
  }
}
