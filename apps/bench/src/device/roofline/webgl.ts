import * as tf from '@tensorflow/tfjs-core';
import type { Bench } from '../../core/comparison.ts';
import type { Roofline } from '../../core/run.ts';
import { leastMs } from './best.ts';

/** A program of tfjs' webgl backend on packed textures: four numbers a texel. */
interface PackedProgram {
  readonly variableNames: string[];
  readonly outputShape: number[];
  readonly packedInputs: true;
  readonly packedOutput: true;
  readonly userCode: string;
}

/** The documented part of `MathBackendWebGL` that runs programs of others. */
interface ProgramRunner {
  runWebGLProgram(program: PackedProgram, inputs: tf.TensorInfo[], dtype: 'float32'): tf.TensorInfo;
}

/** Sides of square matrices: 256 MiB, and on a processor 16 MiB, to copy. */
const copySide = { hardware: 8192, software: 2048 };
/** Enough fragments to fill a GPU, for long enough that starting them does not show. A processor is full with a few. */
const chainWork = { hardware: { side: 2048, steps: 512 }, software: { side: 128, steps: 64 } };
const flopsPerStep = 2 * 8 * 4;
/** Steps written one after the other, so that the loop itself does not show. */
const unrolled = 4;

/** Through programs of tfjs: fragments are all that WebGL has to compute with. */
export async function measureWebGL(bench: Bench): Promise<Roofline> {
  const kind = bench.softwareGpu ? 'software' : 'hardware';
  const largest = tf.env().getNumber('WEBGL_MAX_TEXTURE_SIZE');
  const side = Math.min(copySide[kind], largest);
  const copyMs = await leastProgramMs(bench, side, 'void main() { setOutput(getXAtOutCoords()); }', 64);
  const { side: chainSide, steps } = chainWork[kind];
  const chainsMs = await leastProgramMs(bench, chainSide, multiplyAdd(steps), 1024);
  return {
    bytesPerSecond: (2 * 4 * side ** 2) / (copyMs / 1000),
    // A fragment, a vector of four, for every four numbers.
    flopsPerSecond: (flopsPerStep * steps * (chainSide ** 2 / 4)) / (chainsMs / 1000),
    dispatchMs: await dispatchLatency(bench),
  };
}

/** Eight independent chains of vectors x := x m + m, m from a texture, which no compiler can know. */
function multiplyAdd(steps: number): string {
  const chains = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
  return `void main() {
    vec4 m = getXAtOutCoords();
    ${chains.map((chain, i) => `vec4 ${chain} = m + ${i}.0;`).join(' ')}
    for (int step = 0; step < ${steps / unrolled}; step++) {
      ${chains
        .map((chain) => `${chain} = ${chain} * m + m;`)
        .join(' ')
        .repeat(unrolled)}
    }
    setOutput(${chains.join(' + ')});
  }`;
}

/** Milliseconds of one run of a program from a matrix to another. */
async function leastProgramMs(bench: Bench, side: number, userCode: string, most: number): Promise<number> {
  const run = runner(side, userCode);
  const filled = tf.fill([side, side], 0.999);
  // Once through, so that it lies packed on the device.
  const x = run(filled);
  filled.dispose();
  const milliseconds = await leastMs(bench, {
    async run(times) {
      for (let time = 0; time < times; time++) run(x).dispose();
      await bench.settle();
    },
    most,
  });
  x.dispose();
  return milliseconds;
}

async function dispatchLatency(bench: Bench): Promise<number> {
  const x = tf.fill([2, 2], 1);
  const run = runner(2, 'void main() { setOutput(getXAtOutCoords()); }');
  const milliseconds = await leastMs(bench, {
    async run(times) {
      for (let time = 0; time < times; time++) {
        run(x).dispose();
        await bench.settle();
      }
    },
    most: 1024,
  });
  x.dispose();
  return milliseconds;
}

function runner(side: number, userCode: string): (x: tf.Tensor) => tf.Tensor {
  const backend = tf.backend() as unknown as ProgramRunner;
  const program = (): PackedProgram => ({
    variableNames: ['X'],
    outputShape: [side, side],
    packedInputs: true,
    packedOutput: true,
    userCode,
  });
  return (x) => tf.engine().makeTensorFromTensorInfo(backend.runWebGLProgram(program(), [x], 'float32'));
}
