import { webgpuDevice } from '@saccade/tensor-ops/webgpu';
import type { Bench } from '../../core/comparison.ts';
import type { Roofline } from '../../core/run.ts';
import { leastMs } from './best.ts';

const groupSize = 256;
/** Of one array. The largest cache of a GPU holds about 100 MB; a software GPU's is the processor's. */
const copyBytes = { hardware: 256 * 2 ** 20, software: 64 * 2 ** 20 };
/** Enough invocations to fill a GPU, for long enough that starting them does not show. A processor is full with a few. */
const chainWork = { hardware: { groups: 4096, steps: 512 }, software: { groups: 16, steps: 64 } };
const flopsPerStep = 2 * 8 * 4;
/** Steps written one after the other, so that the loop itself does not show. */
const unrolled = 4;

/** On the device that tfjs uses, but past tfjs, whose programs take a new buffer for every result. */
export async function measureWebGPU(bench: Bench): Promise<Roofline> {
  const device = webgpuDevice();
  const kind = bench.softwareGpu ? 'software' : 'hardware';
  return {
    bytesPerSecond: await copyRate(bench, device, copyBytes[kind]),
    flopsPerSecond: await multiplyAddRate(bench, device, chainWork[kind]),
    dispatchMs: await dispatchLatency(bench, device),
  };
}

async function copyRate(bench: Bench, device: GPUDevice, wanted: number): Promise<number> {
  const { maxBufferSize, maxStorageBufferBindingSize } = device.limits;
  const bytes = Math.min(wanted, maxBufferSize, maxStorageBufferBindingSize);
  // Each invocation copies four vectors of 16 bytes, a whole dispatch apart, so that neighbours read neighbours.
  const groups = Math.floor(bytes / (groupSize * 4 * 16));
  const code = `
    @group(0) @binding(0) var<storage, read> source: array<vec4<f32>>;
    @group(0) @binding(1) var<storage, read_write> copied: array<vec4<f32>>;
    @compute @workgroup_size(${groupSize})
    fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
      let all = groups.x * ${groupSize}u;
      for (var i = 0u; i < 4u; i++) { copied[id.x + i * all] = source[id.x + i * all]; }
    }`;
  const buffers = [storage(device, bytes), storage(device, bytes)];
  const work = program(device, code, buffers);
  const run = async (times: number) => {
    dispatch(device, work, groups, times);
    await bench.settle();
  };
  const milliseconds = await leastMs(bench, { run, most: 256 });
  for (const buffer of buffers) buffer.destroy();
  return (2 * groups * groupSize * 4 * 16) / (milliseconds / 1000);
}

async function multiplyAddRate(
  bench: Bench,
  device: GPUDevice,
  { groups, steps }: { readonly groups: number; readonly steps: number },
): Promise<number> {
  const chains = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
  // The factors come from a buffer, so that no compiler can know them, and what comes out depends on all chains.
  const code = `
    @group(0) @binding(0) var<storage, read> factors: array<vec4<f32>>;
    @group(0) @binding(1) var<storage, read_write> sums: array<vec4<f32>>;
    @compute @workgroup_size(${groupSize})
    fn main(@builtin(global_invocation_id) id: vec3<u32>) {
      let m = factors[0];
      let add = factors[1];
      ${chains.map((chain, i) => `var ${chain} = vec4<f32>(f32(id.x) * 1e-6 + ${i}.0);`).join('\n      ')}
      for (var step = 0; step < ${steps / unrolled}; step++) {
        ${chains
          .map((chain) => `${chain} = fma(${chain}, m, add);`)
          .join(' ')
          .repeat(unrolled)}
      }
      sums[id.x] = ${chains.join(' + ')};
    }`;
  const buffers = [storage(device, 32), storage(device, groups * groupSize * 16)];
  device.queue.writeBuffer(buffers[0] as GPUBuffer, 0, Float32Array.of(0.9, 0.99, 0.999, 0.9999, 1, 1, 1, 1));
  const work = program(device, code, buffers);
  const run = async (times: number) => {
    dispatch(device, work, groups, times);
    await bench.settle();
  };
  const milliseconds = await leastMs(bench, { run, most: 4096 });
  for (const buffer of buffers) buffer.destroy();
  return (flopsPerStep * steps * groups * groupSize) / (milliseconds / 1000);
}

async function dispatchLatency(bench: Bench, device: GPUDevice): Promise<number> {
  const work = program(device, '@compute @workgroup_size(1) fn main() {}', []);
  const run = async (times: number) => {
    for (let time = 0; time < times; time++) {
      dispatch(device, work, 1, 1);
      await bench.settle();
    }
  };
  return leastMs(bench, { run, most: 1024 });
}

interface Program {
  readonly pipeline: GPUComputePipeline;
  readonly bindings: GPUBindGroup;
}

function program(device: GPUDevice, code: string, buffers: readonly GPUBuffer[]): Program {
  const module = device.createShaderModule({ code });
  const pipeline = device.createComputePipeline({ layout: 'auto', compute: { module, entryPoint: 'main' } });
  const entries = buffers.map((buffer, binding) => ({ binding, resource: { buffer } }));
  return { pipeline, bindings: device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }) };
}

function dispatch(device: GPUDevice, { pipeline, bindings }: Program, groups: number, times: number): void {
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, bindings);
  for (let time = 0; time < times; time++) pass.dispatchWorkgroups(groups);
  pass.end();
  device.queue.submit([encoder.finish()]);
}

function storage(device: GPUDevice, size: number): GPUBuffer {
  return device.createBuffer({ size, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST });
}
