import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { Absent, Comparison, Contender } from '../../core/comparison.ts';
import { BUNDLER, bundle, sizesOf } from './bundle.node.ts';

/** All that a page needs to run networks on one backend, TensorFlow.js and its peers included. */
export interface Stack {
  readonly name: string;
  readonly role: Contender['role'];
  /** the module of the page */
  readonly code: string;
  readonly names: readonly string[];
  /** packages that may not be installed */
  readonly packages: readonly string[];
  /** files that are fetched beside the code, which the bundler cannot know of */
  readonly beside?: readonly string[];
}

const require = createRequire(import.meta.url);

/** One vision transformer and nothing else of ours. */
const VIT = `export { createVisionTransformer, deitConfig, loadWeights } from '@saccade/backbones';`;
const VIT_NAMES = ['createVisionTransformer', 'deitConfig', 'loadWeights'];
const CORE = `export { ready, setBackend, tensor } from '@tensorflow/tfjs-core';`;
const CORE_NAMES = ['ready', 'setBackend', 'tensor'];
const WASM_FILE = '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm';

const peer = (name: string, code: string, names: readonly string[], packages: readonly string[]): Stack => ({
  name,
  role: 'peer',
  code,
  names,
  packages,
});

/** TensorFlow.js alone: what its core takes, and the core with each backend. */
export const TFJS: readonly Stack[] = [
  peer('core', CORE, CORE_NAMES, ['@tensorflow/tfjs-core']),
  ...(['cpu', 'wasm', 'webgl', 'webgpu'] as const).map((backend) => ({
    ...peer(`core and ${backend}`, `import '@tensorflow/tfjs-backend-${backend}'; ${CORE}`, CORE_NAMES, [
      `@tensorflow/tfjs-backend-${backend}`,
    ]),
    ...(backend === 'wasm' && { beside: [WASM_FILE] }),
  })),
];

/** A page that runs a vision transformer: ours with TensorFlow.js, and the libraries that others would take for it. */
export const NETWORK: readonly Stack[] = [
  {
    name: 'Saccade, wasm',
    role: 'saccade',
    code: `import '@tensorflow/tfjs-backend-wasm'; import '@saccade/tensor-ops/wasm'; ${CORE} ${VIT}`,
    names: [...CORE_NAMES, ...VIT_NAMES],
    packages: ['@tensorflow/tfjs-backend-wasm'],
    beside: [WASM_FILE],
  },
  {
    name: 'Saccade, webgpu',
    role: 'saccade',
    code: `import '@tensorflow/tfjs-backend-webgpu'; import '@saccade/tensor-ops/webgpu'; ${CORE} ${VIT}`,
    names: [...CORE_NAMES, ...VIT_NAMES],
    packages: ['@tensorflow/tfjs-backend-webgpu'],
  },
  // Without the network, which is a file of its own there; ours is code.
  peer(
    'onnxruntime-web, wasm',
    `export { env, InferenceSession, Tensor } from 'onnxruntime-web/wasm';`,
    ['env', 'InferenceSession', 'Tensor'],
    ['onnxruntime-web/wasm'],
  ),
  peer(
    'onnxruntime-web, webgpu',
    `export { env, InferenceSession, Tensor } from 'onnxruntime-web/webgpu';`,
    ['env', 'InferenceSession', 'Tensor'],
    ['onnxruntime-web/webgpu'],
  ),
  peer(
    '@jax-js/jax',
    `export { init, jit, nn, numpy } from '@jax-js/jax';`,
    ['init', 'jit', 'nn', 'numpy'],
    ['@jax-js/jax'],
  ),
];

/** Bytes of everything that a page downloads, each stack alone. */
export function stacksComparison(id: string, stacks: readonly Stack[]): Comparison {
  return {
    suite: 'bundle',
    id,
    parameters: { without: 'nothing' },
    async prepare() {
      const absent = stacks.flatMap((stack): Absent[] => {
        const missing = stack.packages.find((name) => !installed(name));
        return missing === undefined ? [] : [{ name: stack.name, reason: `${missing} is not installed` }];
      });
      const there = stacks.filter(({ name }) => !absent.some((other) => other.name === name));
      return { contenders: there.map(contender), absent, dispose() {} };
    },
  };
}

function installed(name: string): boolean {
  try {
    require.resolve(name);
    return true;
  } catch {
    return false;
  }
}

function contender({ name, role, code, names, beside = [] }: Stack): Contender {
  const made = () => bundle({ code, external: [] });
  let once: ReturnType<typeof made> | undefined;
  const bundled = () => {
    once ??= made();
    return once;
  };
  return {
    name,
    role,
    engine: BUNDLER,
    // Never called, since there are quantities.
    run: async () => undefined,
    async check() {
      const { exports } = await bundled();
      const missing = names.filter((wanted) => !exports.includes(wanted));
      return { against: 'the names that are imported', error: missing.length, tolerance: 0 };
    },
    async quantities() {
      const { files, late } = await bundled();
      const fetched = await Promise.all(
        beside.map(async (path) => ({ name: path, bytes: await readFile(require.resolve(path)) })),
      );
      const all = [...files, ...fetched];
      const { raw, gzip, brotli } = await sizesOf(all);
      return {
        rawBytes: raw,
        gzipBytes: gzip,
        brotliBytes: brotli,
        binaryBytes: all.reduce((sum, { name, bytes }) => sum + (name.endsWith('.wasm') ? bytes.length : 0), 0),
        ...(late.length > 0 && { lateGzipBytes: (await sizesOf(late)).gzip }),
      };
    },
  };
}
