import type { InferenceSession, InferenceSessionFactory, Tensor, TensorConstructor } from 'onnxruntime-web';
import type { Absent, PeerTask, PeerWork } from '../core/comparison.ts';
import { attentionGraph, matMulGraph } from '../onnx/operatorGraphs.ts';
import { absentFor, type VersionedPeer } from './versionedPeer.ts';

/** What the packages of ONNX Runtime have in common. */
export interface OnnxRuntime {
  readonly InferenceSession: InferenceSessionFactory;
  readonly Tensor: TensorConstructor;
}

/** A way to run ONNX files. */
export interface OnnxEngine {
  /** name of the peer: `onnxruntime-node, 1 thread` */
  readonly name: string;
  readonly library: VersionedPeer['library'];
  /** how it computes: `1 thread` */
  readonly means: string;
  readonly runtime: OnnxRuntime;
  readonly options: InferenceSession.SessionOptions;
  /** The device of its tensors where that is a GPU: then inputs and results stay there. Asked for after a session exists. */
  device?(): Promise<GPUDevice>;
}

/** A task as a graph and its inputs. */
interface Question {
  readonly file: Uint8Array;
  readonly inputs: readonly (readonly [name: string, numbers: Float32Array, shape: readonly number[]])[];
}

/** A peer that computes tasks as ONNX files: attention, products of matrices, networks. */
export function onnxPeer(engine: OnnxEngine): VersionedPeer {
  return {
    name: engine.name,
    library: engine.library,
    async prepare(task) {
      try {
        return await prepareWork(engine, await questionOf(task));
      } catch (error) {
        return absentFor(engine.name, error);
      }
    },
    dispose() {},
  };
}

/** The row of a package that is not there, or does not load. */
export function absentPackage(name: string, packageName: string, error: unknown): Absent {
  const { code, message } = error as { readonly code?: string; readonly message?: string };
  const missing = code === 'ERR_MODULE_NOT_FOUND';
  return { name, reason: missing ? `not installed: npm i ${packageName}` : `${packageName} does not load: ${message}` };
}

async function questionOf(task: PeerTask): Promise<Question> {
  switch (task.kind) {
    case 'attention': {
      const { shape, q, k, v } = task;
      const inputs = [['q', q, shape] as const, ['k', k, shape] as const, ['v', v, shape] as const];
      return { file: attentionGraph(shape), inputs };
    }
    case 'matMul': {
      const [m, k, n] = task.sizes;
      return {
        file: matMulGraph(task.sizes),
        inputs: [['a', task.a, [m, k]] as const, ['b', task.b, [k, n]] as const],
      };
    }
    case 'network':
      return { file: await task.onnx(), inputs: [['input', task.input, task.inputShape] as const] };
  }
}

async function prepareWork(engine: OnnxEngine, { file, inputs }: Question): Promise<PeerWork> {
  const session = await engine.runtime.InferenceSession.create(file, {
    ...engine.options,
    ...(engine.device && { preferredOutputLocation: 'gpu-buffer' as const }),
  });
  try {
    const device = await engine.device?.();
    const { feeds, free } = feed(engine.runtime, inputs, device);
    const output = session.outputNames[0] as string;
    const compute = async () => (await session.run(feeds))[output] as Tensor;
    return {
      engine: `${engine.library.join(' ')}, ${engine.means}`,
      async run() {
        const result = await compute();
        // On a processor the numbers are there when the promise is kept.
        await device?.queue.onSubmittedWorkDone();
        result.dispose();
        return undefined;
      },
      async result() {
        const result = await compute();
        const numbers = (await result.getData(true)) as Float32Array;
        return numbers.slice();
      },
      async dispose() {
        free();
        await session.release();
      },
    };
  } catch (error) {
    await session.release();
    throw error;
  }
}

/** The inputs of a session, on the device if there is one, and what frees them. */
function feed(
  { Tensor }: OnnxRuntime,
  inputs: Question['inputs'],
  device: GPUDevice | undefined,
): { readonly feeds: Record<string, Tensor>; free(): void } {
  const buffers: GPUBuffer[] = [];
  const feeds: Record<string, Tensor> = {};
  for (const [name, numbers, dims] of inputs) {
    if (device === undefined) {
      feeds[name] = new Tensor('float32', numbers, dims);
      continue;
    }
    const buffer = upload(device, numbers);
    buffers.push(buffer);
    feeds[name] = Tensor.fromGpuBuffer(buffer, { dataType: 'float32', dims });
  }
  return {
    feeds,
    free() {
      for (const tensor of Object.values(feeds)) tensor.dispose();
      for (const buffer of buffers) buffer.destroy();
    },
  };
}

function upload(device: GPUDevice, numbers: Float32Array): GPUBuffer {
  const size = Math.ceil(numbers.byteLength / 16) * 16;
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
  const buffer = device.createBuffer({ size, usage });
  device.queue.writeBuffer(buffer, 0, numbers.buffer, numbers.byteOffset, numbers.byteLength);
  return buffer;
}
