import * as tf from '@tensorflow/tfjs-core';
import { runMultiOutputProgram } from '../../webgpu/program.ts';
import { FOURIER_LINE_LIMIT, FOURIER_LINES } from '../names.ts';

interface Attributes {
  /** of the transform, a power of two */
  readonly length: number;
  /** how many of the frequencies are written, or read: all, or those of a real line from 0 to the half */
  readonly frequencies: number;
  /** positions that are read, or written: `count`, of which the first is `from`, 0 or before */
  readonly count: number;
  readonly from: number;
  readonly inverse: boolean;
}

const GROUP_SIZE = 64;
/** Columns of a workgroup: neighbouring numbers in memory. */
const MOST_COLUMNS = 8;
/** WebGPU's least limit for a dimension of a dispatch. */
const MOST_GROUPS = 65535;

/**
 * Fourier transforms of the columns of a matrix, fast: re, im (left out: 0) [count, columns] -> re, im [frequencies,
 * columns], or with `inverse` back.
 *
 * A workgroup has a few columns in its memory, two numbers for each position: read in the order of reversed bits, then
 * one stage of butterflies after the other, in place.
 */
export const fourierLines: tf.KernelConfig = {
  kernelName: FOURIER_LINES,
  backendName: 'webgpu',
  kernelFunc: ({ inputs, attrs }) => {
    const { re, im } = inputs as { re: tf.Tensor2D; im?: tf.Tensor2D };
    const { length, frequencies, count, from, inverse } = attrs as unknown as Attributes;
    const columns = re.shape[1];
    const together = Math.min(MOST_COLUMNS, FOURIER_LINE_LIMIT / length);
    const groups = Math.ceil(columns / together);
    const across = Math.min(groups, MOST_GROUPS);
    const waves = tf.tensor1d(twiddles(length));
    const shape = [inverse ? count : frequencies, columns];
    const isReal = im === undefined;
    const results = runMultiOutputProgram(
      {
        name: `fourierLines_${length}_${together}_${inverse ? 'inverse' : isReal ? 'real' : 'complex'}`,
        inputs: isReal ? ['re', 'waves'] : ['re', 'waves', 'im'],
        output: { shape, dtype: 'float32' },
        moreOutputs: [{ name: 'resultIm', shape, dtype: 'float32' }],
        uniforms: Object.entries({ columns, frequencies, count, from }).map(([name, value]) => {
          return { name: name === 'from' ? 'first' : name, type: 'i32', value };
        }),
        workgroupSize: [GROUP_SIZE, 1, 1],
        dispatch: [across, Math.ceil(groups / across), 1],
        declarations: `
          var<workgroup> lineRe : array<f32, ${length * together}>;
          var<workgroup> lineIm : array<f32, ${length * together}>;`,
        body: body(length, together, inverse, isReal),
      },
      isReal ? [re, waves] : [re, waves, im],
    );
    waves.dispose();
    return results;
  },
};

function body(length: number, together: number, inverse: boolean, isReal: boolean): string {
  const bits = Math.log2(length);
  const reversed = bits === 0 ? '0' : `i32(reverseBits(u32(p)) >> ${32 - bits}u)`;
  const imaginary = (index: string) => (isReal ? '0.0' : `im[${index}]`);
  // The position p of a line that begins at 'first' and ends before 'first + count', the places before 0 at its end.
  const place = `(p - uniforms.first) % ${length}`;
  return `
    let base = i32(workgroupId.y * numWorkgroups.x + workgroupId.x) * ${together};
    for (var i = i32(localIndex); i < ${length * together}; i += ${GROUP_SIZE}) {
      let p = i / ${together};
      let column = base + i % ${together};
      var valueRe = 0.0;
      var valueIm = 0.0;
      if (column < uniforms.columns) {
        ${
          inverse
            ? `
        // Frequencies that are left out are the conjugates of those that are there.
        let mirrored = p >= uniforms.frequencies;
        let at = select(p, ${length} - p, mirrored) * uniforms.columns + column;
        valueRe = re[at];
        valueIm = select(1.0, -1.0, mirrored) * im[at];`
            : `
        let row = ${place};
        if (row < uniforms.count) {
          valueRe = re[row * uniforms.columns + column];
          valueIm = ${imaginary('row * uniforms.columns + column')};
        }`
        }
      }
      let to = ${reversed} * ${together} + i % ${together};
      lineRe[to] = valueRe;
      lineIm[to] = valueIm;
    }
    workgroupBarrier();
    for (var half = 1; half < ${length}; half *= 2) {
      for (var i = i32(localIndex); i < ${(length * together) / 2}; i += ${GROUP_SIZE}) {
        let pair = i / ${together};
        let turn = pair % half;
        let low = (pair / half * 2 * half + turn) * ${together} + i % ${together};
        let high = low + half * ${together};
        let angle = turn * (${length} / half);
        let c = waves[angle];
        let s = ${inverse ? '' : '-'}waves[angle + 1];
        let otherRe = lineRe[high] * c - lineIm[high] * s;
        let otherIm = lineRe[high] * s + lineIm[high] * c;
        lineRe[high] = lineRe[low] - otherRe;
        lineIm[high] = lineIm[low] - otherIm;
        lineRe[low] += otherRe;
        lineIm[low] += otherIm;
      }
      workgroupBarrier();
    }
    for (var i = i32(localIndex); i < ${length * together}; i += ${GROUP_SIZE}) {
      let p = i / ${together};
      let column = base + i % ${together};
      let row = ${inverse ? place : 'p'};
      if (column < uniforms.columns && row < uniforms.${inverse ? 'count' : 'frequencies'}) {
        result[row * uniforms.columns + column] = lineRe[i] * ${inverse ? 1 / length : '1.0'};
        resultIm[row * uniforms.columns + column] = lineIm[i] * ${inverse ? 1 / length : '1.0'};
      }
    }`;
}

/** cos and sin of the multiples of a full turn's L-th part, up to the half. */
function twiddles(length: number): Float32Array {
  const values = new Float32Array(Math.max(2, length));
  for (let j = 0; j < length / 2; j++) {
    values[2 * j] = Math.cos((2 * Math.PI * j) / length);
    values[2 * j + 1] = Math.sin((2 * Math.PI * j) / length);
  }
  return values;
}
