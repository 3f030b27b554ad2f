import { availableParallelism, freemem } from 'node:os';
import { serializeTorch } from '@saccade/weights';
import type { Absent, NetworkTask, PeerTask, PeerWork, SuitePlace } from '../core/comparison.ts';
import { isCounter, planNetwork } from './networkPlan.ts';
import { TorchProcess, type TorchProgram } from './TorchProcess.node.ts';
import { findTorchPython, type TorchPython } from './torchPython.node.ts';
import { absentFor, type VersionedPeer } from './versionedPeer.ts';

/** How PyTorch takes part. */
interface TorchOptions {
  /** as in the rows: `PyTorch, 1 thread` */
  readonly name: string;
  readonly threads: number;
  /** milliseconds that one run may take until the process counts as hung; default two minutes */
  readonly patienceMs?: number;
}

/** What the process says of work that it keeps. */
interface Kept {
  readonly work: number;
  /** how attention is computed, where there is any */
  readonly attention?: string;
  /** what multiplies matrices, where the system tells */
  readonly blas?: string;
}

/** PyTorch in one thread; goes with `wasm`. */
export async function torchSingle({ backend }: SuitePlace): Promise<VersionedPeer | Absent | undefined> {
  return backend === 'wasm' ? await torchOrWhy({ name: 'PyTorch, 1 thread', threads: 1 }) : undefined;
}

/** PyTorch with all cores; goes with `wasm`, full scale. Undefined where there is only one. */
export async function torchAllCores({ backend, scale }: SuitePlace): Promise<VersionedPeer | Absent | undefined> {
  const threads = availableParallelism();
  return backend === 'wasm' && scale === 'full' && threads > 1
    ? await torchOrWhy({ name: `PyTorch, ${threads} threads`, threads })
    : undefined;
}

async function torchOrWhy(options: TorchOptions): Promise<VersionedPeer | Absent> {
  try {
    python ??= findTorchPython();
    return torchPeer(await python, options);
  } catch (error) {
    return absentFor(options.name, error);
  }
}

/** The same one for all peers of this process. */
let python: Promise<TorchPython> | undefined;

/**
 * PyTorch on the processor, in a Python that stays alive between the runs and takes the times itself: its start and the
 * way of the numbers are no part of them. It starts when work is prepared; if it dies, it starts anew for the next work.
 */
export function torchPeer(
  { program, version }: TorchPython,
  { name, threads, patienceMs = 120_000 }: TorchOptions,
): VersionedPeer {
  const start: TorchProgram = { program, threads, patienceMs };
  let process: TorchProcess | undefined;
  return {
    name,
    library: ['PyTorch', version],
    async prepare(task) {
      try {
        const refused = hasFused(version) ? undefined : tooLarge(name, task);
        if (refused !== undefined) return refused;
        if (process?.ended) await process.close();
        if (process === undefined || process.ended) process = await TorchProcess.start(start);
        const own = process;
        const kept = await hand(own, task);
        if (typeof kept === 'string') return { name, reason: kept };
        return workOf(own, kept, `PyTorch ${version}, ${threads === 1 ? '1 thread' : `${threads} threads`}`);
      } catch (error) {
        return absentFor(name, error);
      }
    },
    async dispose() {
      await process?.close();
    },
  };
}

function workOf(process: TorchProcess, { work, attention, blas }: Kept, engine: string): PeerWork {
  return {
    engine: [engine, blas, attention].filter((part) => part !== undefined).join(', '),
    run: () => process.ask({ do: 'run', work }),
    result: () => process.readNumbers((file) => process.ask({ do: 'result', work, file })),
    async dispose() {
      if (process.ended === undefined) await process.ask({ do: 'forget', work });
    },
  };
}

/** Hands a task over; or why PyTorch does not do it. */
async function hand(process: TorchProcess, task: PeerTask): Promise<Kept | string> {
  const write = (numbers: readonly Float32Array[]) => Promise.all(numbers.map((own) => process.writeNumbers(own)));
  switch (task.kind) {
    case 'attention': {
      const files = await write([task.q, task.k, task.v]);
      return await process.ask<Kept>({ do: 'attention', shape: task.shape, files });
    }
    case 'matMul':
      return await process.ask<Kept>({ do: 'matMul', sizes: task.sizes, files: await write([task.a, task.b]) });
    case 'network':
      return await handNetwork(process, task);
  }
}

async function handNetwork(process: TorchProcess, task: NetworkTask): Promise<Kept | string> {
  const state = await task.weights();
  const plan = planNetwork(state, task.inputShape);
  if (typeof plan === 'string') return plan;
  const tensors = new Map(
    [...state]
      .filter(([key]) => !isCounter(key))
      .map(([key, { shape, data }]) => [key, { dtype: 'float32' as const, shape, data }]),
  );
  const weights = await process.write(serializeTorch(tensors));
  const input = await process.writeNumbers(task.input);
  try {
    return await process.ask<Kept>({ do: 'network', plan, weights, input, shape: task.inputShape });
  } finally {
    await process.remove(weights);
  }
}

/** Since PyTorch 2.0, scores and weights of attention need not exist. */
function hasFused(version: string): boolean {
  return Number.parseInt(version, 10) >= 2;
}

/** Without a fused operation, scores and weights of all pairs of tokens exist at once: beyond the memory, both would die. */
function tooLarge(name: string, task: PeerTask): Absent | undefined {
  if (task.kind !== 'attention') return undefined;
  const [batch, heads, tokens] = task.shape;
  const [bytes, free] = [2 * 4 * batch * heads * tokens ** 2, freemem()];
  if (bytes < free / 2) return undefined;
  const gibibytes = (count: number) => `${(count / 2 ** 30).toFixed(1)} GiB`;
  return { name, status: 'skipped', reason: `scores take ${gibibytes(bytes)}, ${gibibytes(free)} are free` };
}
