import type { FftPrimitives, Lines, Tokens } from './primitives.ts';

const LANES = 4;
/** Numbers of a position. */
const POSITION = 2 * LANES;

/** What the primitives below run in. */
interface PortableMemory {
  floats(): Float32Array;
  integers(): Int32Array;
}

/** The primitives as plain loops: for the cpu backend, and where a wasm engine has no SIMD. Lines are in float64. */
export function portablePrimitives(memory: PortableMemory): FftPrimitives {
  const linesAt = (at: number) => readLines(memory.integers(), at);
  return {
    fftScratch: () => 0,
    fftForward: (field, at) => {
      const [x, lines] = [memory.floats(), linesAt(at)];
      eachLine(lines, (offset, _, line) => {
        read(line, x, field + offset, lines);
        transformLine(line, x, lines, true);
        write(line, x, field + offset, lines, lines.length);
      });
    },
    fftInverse: (field, at) => {
      const [x, lines] = [memory.floats(), linesAt(at)];
      const complete = { ...lines, size: lines.length };
      eachLine(lines, (offset, _, line) => {
        read(line, x, field + offset, complete);
        transformLine(line, x, lines, false);
        write(line, x, field + offset, lines, lines.size);
      });
    },
    fftInverseProduct: (signal, spectrum, target, wide, _, at) => {
      const [x, lines] = [memory.floats(), linesAt(at)];
      eachLine(lines, (offset, element, line) => {
        eachLane(lines, (f, lane) => {
          const from = (signal + offset + f * lines.stride) / 4 + lane;
          const [re, im] = elementPlaces(spectrum, element + f * lines.compactStride, lane, wide);
          const [a, b] = [x[from] as number, x[from + LANES] as number];
          const [wRe, wIm] = [x[re] as number, x[im] as number];
          line[f * POSITION + lane] = a * wRe + b * wIm;
          line[f * POSITION + LANES + lane] = b * wRe - a * wIm;
        });
        transformLine(line, x, lines, false);
        write(line, x, target + offset, lines, lines.size);
      });
    },
    fftForwardProducts: (field, spectrum, sum, other, cross, wide, _, at) => {
      const [x, lines] = [memory.floats(), linesAt(at)];
      eachLine(lines, (offset, element, line) => {
        read(line, x, field + offset, lines);
        transformLine(line, x, lines, true);
        eachLane(lines, (f, lane) => {
          const [a, b] = [line[f * POSITION + lane] as number, line[f * POSITION + LANES + lane] as number];
          const place = offset + f * lines.stride;
          const [to, from] = [(sum + place) / 4 + lane, (other + place) / 4 + lane];
          const [re, im] = elementPlaces(spectrum, element + f * lines.compactStride, lane, wide);
          const [wRe, wIm] = [x[re] as number, x[im] as number];
          (x[to] as number) += a * wRe - b * wIm;
          (x[to + LANES] as number) += a * wIm + b * wRe;
          const [crossRe, crossIm] = elementPlaces(cross, element + f * lines.compactStride, lane, wide);
          const [c, d] = [x[from] as number, x[from + LANES] as number];
          (x[crossRe] as number) += a * c + b * d;
          (x[crossIm] as number) += a * d - b * c;
        });
      });
    },
    fftLoad: (x, scales, field, at) => {
      const values = memory.floats();
      eachToken(readTokens(memory.integers(), at), x, field, scales, (channel, place, scale) => {
        values[place] = channel < 0 ? 0 : (values[channel] as number) * (scale < 0 ? 1 : (values[scale] as number));
      });
    },
    fftStore: (field, scales, x, at) => {
      const values = memory.floats();
      eachToken(readTokens(memory.integers(), at), x, field, scales, (channel, place, scale) => {
        if (channel < 0) return;
        if (scale < 0) values[channel] = values[place] as number;
        else (values[channel] as number) += (values[scale] as number) * (values[place] as number);
      });
    },
    fftDot: (x, field, sums, at) => {
      const values = memory.floats();
      eachToken(readTokens(memory.integers(), at), x, field, sums, (channel, place, sum) => {
        if (channel >= 0) (values[sum] as number) += (values[channel] as number) * (values[place] as number);
      });
    },
  };
}

/** Where the real and the imaginary part of an element of a spectrum are. */
function elementPlaces(spectrum: number, element: number, lane: number, wide: boolean): [number, number] {
  const at = spectrum / 4 + element * (wide ? POSITION : 2);
  return wide ? [at + lane, at + LANES + lane] : [at, at + 1];
}

/** Reads a line: what is not padding, and zeros. */
function read(line: Float64Array, x: Float32Array, place: number, { size, stride }: Lines): void {
  line.fill(0);
  for (let p = 0; p < size; p++) {
    const from = (place + p * stride) / 4;
    for (let i = 0; i < POSITION; i++) line[p * POSITION + i] = x[from + i] as number;
  }
}

/** Writes the first `count` positions of a line. */
function write(line: Float64Array, x: Float32Array, place: number, { stride }: Lines, count: number): void {
  for (let p = 0; p < count; p++) {
    const to = (place + p * stride) / 4;
    for (let i = 0; i < POSITION; i++) x[to + i] = line[p * POSITION + i] as number;
  }
}

/** Transforms a line in place, all lanes; `x` has the twiddles. */
function transformLine(line: Float64Array, x: Float32Array, lines: Lines, isForward: boolean): void {
  const stages = stagesOf(lines);
  for (const { radix, n, twiddles } of isForward ? stages : stages.reverse()) {
    const m = n / radix;
    for (let block = 0; block < lines.length; block += n) {
      for (let j = 0; j < m; j++) {
        const first = (block + j) * POSITION;
        const turn = twiddles < 0 ? -1 : twiddles + 2 * (radix - 1) * j;
        for (let lane = 0; lane < LANES; lane++) {
          butterfly(line, first + lane, m * POSITION, radix, x, turn, isForward);
        }
      }
    }
  }
}

interface Stage {
  readonly radix: number;
  /** positions of a block */
  readonly n: number;
  /** of its twiddles, as the index of a number; -1 where they are all 1 */
  readonly twiddles: number;
}

/** Radix 4 as often as it goes, then 2, then what is left, which is odd and comes last. */
function stagesOf({ length, twiddles }: Lines): Stage[] {
  const stages: Stage[] = [];
  let at = twiddles / 4;
  let n = length;
  for (; n % 4 === 0; n /= 4) {
    stages.push({ radix: 4, n, twiddles: at });
    at += (6 * n) / 4;
  }
  if (n % 2 === 0) {
    stages.push({ radix: 2, n, twiddles: at });
    n /= 2;
  }
  if (n > 1) stages.push({ radix: n, n, twiddles: -1 });
  return stages;
}

const real = new Float64Array(7);
const imaginary = new Float64Array(7);

/** One butterfly: the sums and then the twiddles (forward), or the twiddles undone and then the conjugate sums. */
function butterfly(
  line: Float64Array,
  at: number,
  apart: number,
  radix: number,
  x: Float32Array,
  turn: number,
  isForward: boolean,
): void {
  const cos = COSINES[radix] as Float64Array;
  const sin = SINES[radix] as Float64Array;
  for (let j = 0; j < radix; j++) {
    const [a, b] = [line[at + j * apart] as number, line[at + j * apart + LANES] as number];
    const [wRe, wIm] = isForward ? [1, 0] : twiddle(x, turn, j);
    real[j] = a * wRe + b * wIm;
    imaginary[j] = b * wRe - a * wIm;
  }
  for (let k = 0; k < radix; k++) {
    let [sumRe, sumIm] = [0, 0];
    for (let j = 0; j < radix; j++) {
      const [a, b] = [real[j] as number, imaginary[j] as number];
      const angle = (j * k) % radix;
      const c = cos[angle] as number;
      const s = isForward ? (sin[angle] as number) : -(sin[angle] as number);
      sumRe += a * c + b * s;
      sumIm += b * c - a * s;
    }
    const [wRe, wIm] = isForward ? twiddle(x, turn, k) : [1, 0];
    line[at + k * apart] = sumRe * wRe - sumIm * wIm;
    line[at + k * apart + LANES] = sumRe * wIm + sumIm * wRe;
  }
}

function twiddle(x: Float32Array, turn: number, k: number): [number, number] {
  if (turn < 0 || k === 0) return [1, 0];
  return [x[turn + 2 * (k - 1)] as number, x[turn + 2 * (k - 1) + 1] as number];
}

const angles = (f: (angle: number) => number) =>
  Array.from({ length: 8 }, (_, radix) => Float64Array.from({ length: radix }, (_, i) => f((2 * Math.PI * i) / radix)));
/** Of the multiples of a full turn's radix-th part. */
const [COSINES, SINES] = [angles(Math.cos), angles(Math.sin)];

function readLines(memory: Int32Array, at: number): Lines {
  const [length, size, stride, inner, innerStride, outer, outerStride, ...rest] = memory.subarray(at / 4, at / 4 + 11);
  const [compactStride, compactInner, compactOuter, twiddles] = rest;
  return { length, size, stride, inner, innerStride, outer, outerStride, compactStride, compactInner, compactOuter, twiddles } as Lines; // biome-ignore format: one list
}

function readTokens(memory: Int32Array, at: number): Tokens {
  const [rows, columns, depth, planeStride, rowStride, step, real, imaginary, apart] = memory.subarray(at / 4, at / 4 + 9); // biome-ignore format: one list
  return { rows, columns, depth, planeStride, rowStride, step, real, imaginary, apart } as Tokens;
}

/** Visits all lines: where they begin, the first element of a spectrum that belongs to them, and room for one. */
function eachLine(lines: Lines, each: (offset: number, element: number, line: Float64Array) => void): void {
  const line = new Float64Array(lines.length * POSITION);
  for (let o = 0; o < lines.outer; o++) {
    for (let i = 0; i < lines.inner; i++) {
      const offset = o * lines.outerStride + i * lines.innerStride;
      each(offset, o * lines.compactOuter + i * lines.compactInner, line);
    }
  }
}

function eachLane({ length }: Lines, each: (f: number, lane: number) => void): void {
  for (let f = 0; f < length; f++) for (let lane = 0; lane < LANES; lane++) each(f, lane);
}

/**
 * Visits the lanes of all tokens: the index of the channel (-1 where a lane has none), of its place in the field, and of
 * the token's number in `perToken` (-1 where that is 0).
 */
function eachToken(
  { rows, columns, depth, planeStride, rowStride, step, real, imaginary, apart }: Tokens,
  x: number,
  field: number,
  perToken: number,
  each: (channel: number, place: number, number: number) => void,
): void {
  let token = 0;
  for (let a = 0; a < depth; a++) {
    for (let b = 0; b < rows; b++) {
      for (let c = 0; c < columns; c++, token++) {
        const from = (x + token * step) / 4;
        const to = (field + a * planeStride + b * rowStride) / 4 + c * POSITION;
        const own = perToken === 0 ? -1 : perToken / 4 + token;
        for (let lane = 0; lane < LANES; lane++) {
          each(lane < real ? from + lane : -1, to + lane, own);
          each(lane < imaginary ? from + apart / 4 + lane : -1, to + LANES + lane, own);
        }
      }
    }
  }
}
