/**
 * The parts of a correlation that are worth writing for a machine: transforms of fields along one axis, products of
 * spectra, and what carries tokens into fields and back. `assembly/fft*.ts` has them for SIMD, `portable.ts` as plain
 * loops. All arguments are places in one memory, in bytes; `lines` and `tokens` those of the structures below.
 *
 * A *field* is a map of complex numbers for eight channels: at each position four real and four imaginary parts. A
 * *spectrum* has one complex number for each frequency, or (`wide`) as a field four.
 */
export interface FftPrimitives {
  /** Transforms the lines of a field; zeros beyond the size of a padded line are not read. */
  fftForward(field: number, lines: number): void;
  /** The inverse, times the length; beyond the size of a padded line there is nothing of use. */
  fftInverse(field: number, lines: number): void;
  /** `target = inverse of (conj(spectrum) signal)` along lines, at the positions that are not padding. */
  fftInverseProduct(
    signal: number,
    spectrum: number,
    target: number,
    wide: boolean,
    scratch: number,
    lines: number,
  ): void;
  /** `sum += spectrum F` and `cross += conj(F) other`, F the field transformed along lines; the field stays as it is. */
  fftForwardProducts(
    field: number,
    spectrum: number,
    sum: number,
    other: number,
    cross: number,
    wide: boolean,
    scratch: number,
    lines: number,
  ): void;
  /** Bytes of the scratch space of the two above. */
  fftScratch(length: number): number;
  /** `field = x`, or `scales[n] x[n]` unless that is 0. */
  fftLoad(x: number, scales: number, field: number, tokens: number): void;
  /** `x = field`, or `x[n] += scales[n] field[n]` unless that is 0. */
  fftStore(field: number, scales: number, x: number, tokens: number): void;
  /** `sums[n] += x[n] . field[n]` */
  fftDot(x: number, field: number, sums: number, tokens: number): void;
}

/** Where the primitives run: their memory, and room in it that is given back when the kernel ends. */
export interface FftMachine extends FftPrimitives {
  /** Room for so many bytes, not cleared; makes older views useless. */
  allocate(bytes: number): number;
  /** The memory, from byte 0. Ask again after each allocation. */
  floats(): Float32Array;
  integers(): Int32Array;
}

/** The fields of the structure `lines`, all int32, in their order. */
export interface Lines {
  readonly length: number;
  /** positions that are not padding */
  readonly size: number;
  readonly stride: number;
  readonly inner: number;
  readonly innerStride: number;
  readonly outer: number;
  readonly outerStride: number;
  /** distances in a spectrum, in elements */
  readonly compactStride: number;
  readonly compactInner: number;
  readonly compactOuter: number;
  readonly twiddles: number;
}

/** The fields of the structure `tokens`, all int32, in their order. */
export interface Tokens {
  readonly rows: number;
  readonly columns: number;
  readonly depth: number;
  /** in a field, between planes of rows and between rows */
  readonly planeStride: number;
  readonly rowStride: number;
  /** in the tensor, between tokens */
  readonly step: number;
  /** channels in the real lanes, 0 to 4, and in the imaginary lanes */
  readonly real: number;
  readonly imaginary: number;
  /** in the tensor, from the channels of the real to those of the imaginary lanes */
  readonly apart: number;
}
