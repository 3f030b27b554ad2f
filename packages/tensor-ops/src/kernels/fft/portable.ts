import type { FftPrimitives, Lines, Tokens } from './primitives.ts';

const LANES = 4;
/** Numbers of a position. */
const POSITION = 2 * LANES;

/** What the primitives below run in. */
export interface PortableMemory {
  floats(): Float32Array;
  integers(): Int32Array;
}

/** The primitives as plain loops: for the cpu backend, and where a wasm engine has no SIMD. */
export function portablePrimitives(memory: PortableMemory): FftPrimitives {
  const linesAt = (at: number) => readLines(memory.integers(), at);
  const forward = (field: number, at: number) => {
    const x = memory.floats();
    eachLine(linesAt(at), (offset, lines) => transformLine(x, (field + offset) / 4, lines, true));
  };
  return {
    fftForward: forward,
    fftInverse: (field, at) => {
      const x = memory.floats();
      eachLine(linesAt(at), (offset, lines) => transformLine(x, (field + offset) / 4, lines, false));
    },
    fftInverseProduct: (signal, spectrum, target, wide, at) => {
      const x = memory.floats();
      const lines = linesAt(at);
      eachPosition(lines, (offset, element) => {
        const [from, to] = [(signal + offset) / 4, (target + offset) / 4];
        for (let lane = 0; lane < LANES; lane++) {
          const [re, im] = weightPlaces(spectrum, element, lane, wide);
          const [a, b] = [x[from + lane] as number, x[from + LANES + lane] as number];
          const [wRe, wIm] = [x[re] as number, x[im] as number];
          x[to + lane] = a * wRe + b * wIm;
          x[to + LANES + lane] = b * wRe - a * wIm;
        }
      });
      eachLine(lines, (offset) => transformLine(x, (target + offset) / 4, lines, false));
    },
    fftForwardProducts: (field, spectrum, sum, other, cross, wide, at) => {
      forward(field, at);
      const x = memory.floats();
      eachPosition(linesAt(at), (offset, element) => {
        const [own, to, from] = [(field + offset) / 4, (sum + offset) / 4, (other + offset) / 4];
        for (let lane = 0; lane < LANES; lane++) {
          const [a, b] = [x[own + lane] as number, x[own + LANES + lane] as number];
          if (sum !== 0) {
            const [re, im] = weightPlaces(spectrum, element, lane, wide);
            const [wRe, wIm] = [x[re] as number, x[im] as number];
            (x[to + lane] as number) += a * wRe - b * wIm;
            (x[to + LANES + lane] as number) += a * wIm + b * wRe;
          }
          if (cross !== 0) {
            const [re, im] = weightPlaces(cross, element, lane, wide);
            const [c, d] = [x[from + lane] as number, x[from + LANES + lane] as number];
            (x[re] as number) += a * c + b * d;
            (x[im] as number) += a * d - b * c;
          }
        }
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
function weightPlaces(spectrum: number, element: number, lane: number, wide: boolean): [number, number] {
  const at = spectrum / 4 + element * (wide ? POSITION : 2);
  return wide ? [at + lane, at + LANES + lane] : [at, at + 1];
}

/** Transforms one line of a field in place, all lanes. */
function transformLine(x: Float32Array, base: number, lines: Lines, isForward: boolean): void {
  const step = lines.stride / 4;
  if (isForward) {
    for (let p = lines.size; p < lines.length; p++) x.fill(0, base + p * step, base + p * step + POSITION);
  }
  const stages = stagesOf(lines);
  for (const stage of isForward ? stages : stages.reverse()) {
    const { radix, n, twiddles } = stage;
    const m = n / radix;
    for (let block = 0; block < lines.length; block += n) {
      for (let j = 0; j < m; j++) {
        const first = base + (block + j) * step;
        const turn = twiddles < 0 ? -1 : twiddles + 2 * (radix - 1) * j;
        for (let lane = 0; lane < LANES; lane++) butterfly(x, first + lane, m * step, radix, turn, isForward);
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
function butterfly(x: Float32Array, at: number, apart: number, radix: number, turn: number, isForward: boolean): void {
  const cos = COSINES[radix] as Float64Array;
  const sin = SINES[radix] as Float64Array;
  for (let j = 0; j < radix; j++) {
    const [a, b] = [x[at + j * apart] as number, x[at + j * apart + LANES] as number];
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
    x[at + k * apart] = sumRe * wRe - sumIm * wIm;
    x[at + k * apart + LANES] = sumRe * wIm + sumIm * wRe;
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

/** Visits the beginnings of all lines. */
function eachLine(lines: Lines, each: (offset: number, lines: Lines) => void): void {
  for (let o = 0; o < lines.outer; o++) {
    for (let i = 0; i < lines.inner; i++) each(o * lines.outerStride + i * lines.innerStride, lines);
  }
}

/** Visits all positions of all lines, with the elements of a spectrum that belong to them. */
function eachPosition(lines: Lines, each: (offset: number, element: number) => void): void {
  for (let o = 0; o < lines.outer; o++) {
    for (let i = 0; i < lines.inner; i++) {
      for (let f = 0; f < lines.length; f++) {
        each(
          o * lines.outerStride + i * lines.innerStride + f * lines.stride,
          o * lines.compactOuter + i * lines.compactInner + f * lines.compactStride,
        );
      }
    }
  }
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
