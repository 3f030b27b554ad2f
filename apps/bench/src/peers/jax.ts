import type { Array as JaxArray } from '@jax-js/jax';
import type { Absent, NetworkTask, PeerTask, PeerWork, SuitePlace } from '../core/comparison.ts';
import { type Jax, jaxAttention, jaxResNet, jaxVit, jaxWeights } from './jaxNetworks.ts';
import { planNetwork } from './networkPlan.ts';
import { absentFor, skippedOnSoftware, type VersionedPeer } from './versionedPeer.ts';

const NAME = 'jax-js';

/** Where jax-js computes. */
type JaxDevice = 'wasm' | 'webgpu';

/** Arrays in memory of their own, and a compiled function of them. */
interface Program {
  readonly inputs: JaxArray[];
  /** of the inputs, in their order; uses them up */
  compute(...inputs: JaxArray[]): JaxArray;
}

/**
 * jax-js, with every task compiled by its `jit`.
 *
 * On webgpu it has a device of its own, on the adapter of `navigator.gpu`. On wasm it takes as many threads as there are
 * cores where memory can be shared and workers exist, and nobody can ask it for fewer: in pages that are isolated from
 * other origins. Everywhere else, in Node too, it has one.
 */
export async function jaxPeer({ home, backend, softwareGpu }: SuitePlace): Promise<VersionedPeer | Absent | undefined> {
  if (backend !== 'wasm' && backend !== 'webgpu') return undefined;
  if (softwareGpu) return skippedOnSoftware(NAME);
  try {
    return await jaxOn(backend, home === 'node' ? inNode : (work) => work());
  } catch (error) {
    return absentFor(NAME, error);
  }
}

/** Calls the library's code. */
type Around = <T>(work: () => Promise<T>) => Promise<T>;

async function jaxOn(device: JaxDevice, around: Around): Promise<VersionedPeer | Absent> {
  const jax = await around(() => import('@jax-js/jax'));
  const version = await jaxVersion();
  const engine = `jax-js ${version}, ${device === 'webgpu' ? 'webgpu' : `wasm, ${await around(threadsText)}`}, jit`;
  return {
    name: NAME,
    library: ['@jax-js/jax', version],
    async prepare(task) {
      try {
        // Not before: in Node, the GPU is there once the bench has opened its backend.
        const absent = (await around(() => start(jax, device))) ?? tooLarge(jax, device, task);
        if (absent !== undefined) return absent;
        const program = await programFor(jax, task);
        return typeof program === 'string' ? { name: NAME, reason: program } : workOf(jax, program, engine, around);
      } catch (error) {
        return absentFor(NAME, error);
      }
    },
    // Its devices live as long as the page or the process.
    dispose: () => undefined,
  };
}

/** Starts the device, and makes it the one for all arrays; or why it does not start. */
async function start(jax: Jax, device: JaxDevice): Promise<Absent | undefined> {
  if (device === 'webgpu') {
    const adapter = await globalThis.navigator?.gpu?.requestAdapter({ powerPreference: 'high-performance' });
    if (adapter == null) return { name: NAME, reason: 'no WebGPU adapter' };
    const { isSoftwareAdapter } = await import('@saccade/tensor-ops/webgpu');
    if (isSoftwareAdapter(adapter.info)) return skippedOnSoftware(NAME);
  }
  const ready = await jax.init(device);
  if (!ready.includes(device)) return { name: NAME, reason: `its ${device} does not start here` };
  jax.defaultDevice(device);
  return undefined;
}

/** The package says its version nowhere but in its package.json, which it does not export. */
async function jaxVersion(): Promise<string> {
  const { version } = await import('../../node_modules/@jax-js/jax/package.json', { with: { type: 'json' } });
  return version;
}

async function threadsText(): Promise<string> {
  if (typeof SharedArrayBuffer === 'undefined' || typeof Worker === 'undefined') return '1 thread';
  return `${globalThis.navigator?.hardwareConcurrency || 4} threads`;
}

/**
 * Makes Node look as jax-js expects it, while it works: nobody else computes then.
 *
 * It takes threads wherever there is a global `Worker`, and asks for it whenever it compiles. In Node there is none at
 * first, but Emscripten's programs (onnxruntime-web, tfjs) put Node's there, which is another kind: what was compiled
 * afterwards would not fit the memory from before. On webgpu it reads `navigator.userAgent`, which Node 20 has not.
 */
async function inNode<T>(work: () => Promise<T>): Promise<T> {
  const worker = Object.getOwnPropertyDescriptor(globalThis, 'Worker');
  Reflect.deleteProperty(globalThis, 'Worker');
  const { navigator } = globalThis;
  const nameless = navigator !== undefined && navigator.userAgent === undefined;
  if (nameless) Object.defineProperty(navigator, 'userAgent', { value: 'Node.js', configurable: true });
  try {
    return await work();
  } finally {
    if (worker !== undefined) Object.defineProperty(globalThis, 'Worker', worker);
    if (nameless) Reflect.deleteProperty(navigator, 'userAgent');
  }
}

function workOf(jax: Jax, { inputs, compute }: Program, engine: string, around: Around): PeerWork {
  const compiled = jax.jit(compute);
  const once = () => compiled(...inputs.map((input) => input.ref));
  return {
    engine,
    async run() {
      const result = await around(() => once().blockUntilReady());
      result.dispose();
      return undefined;
    },
    async result() {
      return (await around(() => once().data())) as Float32Array;
    },
    dispose() {
      compiled.dispose();
      for (const input of inputs) input.dispose();
    },
  };
}

/** The program of a task; or why there is none. */
async function programFor(jax: Jax, task: PeerTask): Promise<Program | string> {
  const { numpy: np } = jax;
  const array = (data: Float32Array, shape: readonly number[]) =>
    np.array(data as Float32Array<ArrayBuffer>, { shape: [...shape] });
  switch (task.kind) {
    case 'attention': {
      const { q, k, v, shape } = task;
      return {
        inputs: [q, k, v].map((data) => array(data, shape)),
        compute: (...[query, key, value]) => jaxAttention(jax, query as JaxArray, key as JaxArray, value as JaxArray),
      };
    }
    case 'matMul': {
      const [m, k, n] = task.sizes;
      return {
        inputs: [array(task.a, [m, k]), array(task.b, [k, n])],
        compute: (...[a, b]) => np.matmul(a as JaxArray, b as JaxArray),
      };
    }
    case 'network':
      return await networkProgram(jax, task, array(task.input, task.inputShape));
  }
}

async function networkProgram(jax: Jax, task: NetworkTask, images: JaxArray): Promise<Program | string> {
  const state = await task.weights();
  const plan = planNetwork(state, task.inputShape);
  if (typeof plan === 'string') {
    images.dispose();
    return plan;
  }
  const weights = jaxWeights(jax, state);
  const names = Object.keys(weights);
  return {
    inputs: [images, ...(Object.values(weights) as JaxArray[])],
    compute: (input, ...values) => {
      const named = Object.fromEntries(names.map((name, i) => [name, values[i] as JaxArray]));
      return plan.kind === 'vit'
        ? jaxVit(jax, plan, named, input as JaxArray)
        : jaxResNet(jax, plan, named, input as JaxArray);
    },
  };
}

/** Scores of all pairs of tokens are one buffer, and their weights another one. */
function tooLarge(jax: Jax, device: JaxDevice, task: PeerTask): Absent | undefined {
  if (task.kind !== 'attention') return undefined;
  const [batch, heads, tokens] = task.shape;
  const bytes = 4 * batch * heads * tokens ** 2;
  // Half of what 32-bit addresses reach; what the device binds at most.
  const most = device === 'wasm' ? 2 ** 30 : jax.getWebGPUDevice().limits.maxStorageBufferBindingSize;
  if (bytes <= most) return undefined;
  const gibibytes = (count: number) => `${(count / 2 ** 30).toFixed(1)} GiB`;
  const reason = `scores take ${gibibytes(bytes)}, more than the ${gibibytes(most)} of a buffer`;
  return { name: NAME, status: 'skipped', reason };
}
