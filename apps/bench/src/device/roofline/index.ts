import type { Bench } from '../../core/comparison.ts';
import type { Roofline } from '../../core/run.ts';
import { measureCpu } from './cpu.ts';
import { measureWasm } from './wasm.ts';
import { measureWebGL } from './webgl.ts';
import { measureWebGPU } from './webgpu.ts';

/**
 * What the device of a bench can do at best: the best of several repeats, since whatever else the machine does can only
 * make them slower.
 *
 * It takes 256 MiB of memory, on a GPU 512 MiB, for one or two seconds.
 *
 * @returns nothing where it cannot be measured: on wasm without SIMD
 * @throws where there is not so much memory
 */
export async function measureRoofline(bench: Bench): Promise<Roofline | undefined> {
  switch (bench.backend) {
    case 'webgpu':
      return measureWebGPU(bench);
    case 'wasm':
      return measureWasm(bench);
    case 'webgl':
      return measureWebGL(bench);
    case 'cpu':
      return measureCpu(bench);
  }
}
