import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { attention, dynamicGroups, groupedAttention, setKernelMode } from '@saccade/tensor-ops';
import { setupBackend } from '@saccade/tensor-ops/node';
import * as tf from '@tensorflow/tfjs-core';
import { type Measured, measure, slope } from './measure.ts';
import { problem, tensors } from './problem.ts';

// DG-Attention against attention between all tokens, on wasm, in one run: `pnpm --filter @saccade/dg-attention run measure`.
// Runs are interleaved, so that what else the machine does meets all; medians; with --save they go to results/wasm.csv.

const { values: options } = parseArgs({
  options: { runs: { type: 'string', default: '5' }, save: { type: 'boolean', default: false } },
});
const runs = Number(options.runs);

/** Stage 1 of DGT-T on pictures of 224 pixels. */
const STAGE = { tokens: 3136, heads: 2, size: 32, groups: 48, topK: 98 } as const;
/** Attention between all is measured up to here: beyond, its maps take gigabytes. */
const GLOBAL_LIMIT = 3136;

type Setting = { readonly [K in keyof typeof STAGE]: number };

const backend = await setupBackend('wasm');

/** What is timed for one setting: each returns tensors that are then disposed. */
function work({ tokens, heads, size, groups, topK }: Setting) {
  const made = problem({ batch: 1, tokens, heads, size, groups, seed: 3 });
  const { centroids } = tensors(made);
  const shape: [number, number, number, number] = [1, heads, tokens, size];
  const [q, k, v] = [made.q, made.k, made.v].map((x) => tf.tensor4d(x, shape)) as [
    tf.Tensor4D,
    tf.Tensor4D,
    tf.Tensor4D,
  ];
  const routing = dynamicGroups(q, k, centroids, { topK });
  const grouped = (q: tf.Tensor4D, k: tf.Tensor4D, v: tf.Tensor4D) =>
    groupedAttention(q, k, v, dynamicGroups(q, k, centroids, { topK }));
  const gradients = (f: (q: tf.Tensor4D, k: tf.Tensor4D, v: tf.Tensor4D) => tf.Tensor) =>
    tf.grads((...x: tf.Tensor[]) => f(...(x as [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D])))([q, k, v]);
  return {
    parts: {
      dg: () => grouped(q, k, v),
      global: () => attention(q, k, v),
      'dg gradients': () => gradients(grouped),
      'global gradients': () => gradients((q, k, v) => attention(q, k, v)),
      routing: () => Object.values(dynamicGroups(q, k, centroids, { topK })),
      'within groups': () => groupedAttention(q, k, v, routing),
    },
    dispose: () => tf.dispose([q, k, v, centroids, routing.assignment, routing.keys]),
  };
}

/** Before time, correctness: the kernels against the mask over all pairs, at the size that is measured. */
function assertRight(setting: Setting): void {
  const { parts, dispose } = work(setting);
  const apart = tf.tidy(() => {
    const y = parts.dg();
    setKernelMode('explicit');
    const expected = parts.dg();
    setKernelMode('auto');
    return tf.div(tf.max(tf.abs(tf.sub(y, expected))), tf.max(tf.abs(expected)));
  });
  const error = apart.dataSync()[0] as number;
  tf.dispose(apart);
  dispose();
  console.log(`largest error against the mask: ${error.toExponential(1)} of the largest value`);
  if (!(error < 1e-5)) throw new Error('the kernels and the mask disagree: times of wrong results mean nothing');
}

/**
 * Multiply-accumulates by the formulas of the README, and as the SIMD kernels do them: on whole tiles of 8 keys, centroids
 * or tokens; queries are not filled up.
 */
function macsOf(name: string, { tokens, heads, size, groups, topK }: Setting): [formula: number, executed: number] {
  const channels = heads * size;
  if (name === 'global') return [2 * tokens * tokens * channels, 2 * tokens * tokens * channels];
  const count = (whole: (n: number) => number) => {
    const routing = tokens * whole(groups) + groups * whole(tokens);
    const within = 2 * whole(Math.min(topK, tokens)) * tokens;
    return channels * ((name === 'within groups' ? 0 : routing) + (name === 'routing' ? 0 : within));
  };
  return [count((n) => n), count((n) => 8 * Math.ceil(n / 8))];
}

const rows: string[] = [];

async function run(
  setting: Setting,
  names: readonly (keyof ReturnType<typeof work>['parts'])[],
): Promise<Record<string, Measured>> {
  const { parts, dispose } = work(setting);
  const measured = await measure(Object.fromEntries(names.map((name) => [name, parts[name]])), runs);
  dispose();
  for (const [name, result] of Object.entries(measured)) {
    const { tokens, heads, size, groups, topK } = setting;
    const { wallMs, cpuMs, runsMs, peakBytes } = result;
    const macs = name.endsWith('gradients') ? [] : macsOf(name, setting);
    rows.push([tokens, heads, size, groups, topK, name, wallMs, cpuMs, runsMs.join(' '), peakBytes, ...macs].join(','));
    const sizes = `N ${setting.tokens} G ${setting.groups} k ${setting.topK}`;
    console.log(
      `${sizes.padEnd(22)} ${name.padEnd(18)} ${result.wallMs} ms, cpu ${result.cpuMs} ms, peak ${result.peakBytes} B`,
    );
  }
  return measured;
}

assertRight(STAGE);
const main = await run(STAGE, ['dg', 'global', 'dg gradients', 'global gradients', 'routing', 'within groups']);
const of = (name: string) => main[name] as Measured;
const share = (a: number, b: number) => (a / b).toFixed(3);
console.log(
  `forward: ${share(of('dg').wallMs, of('global').wallMs)} of the time, ${share(of('dg').peakBytes, of('global').peakBytes)} of the memory`,
);
console.log(
  `gradients: ${share(of('dg gradients').wallMs, of('global gradients').wallMs)} of the time, ${share(of('dg gradients').peakBytes, of('global gradients').peakBytes)} of the memory`,
);
console.log(`routing: ${share(of('routing').cpuMs, of('dg').cpuMs)} of the forward time`);

const byTokens = [];
for (const tokens of [784, 1568, 3136, 6272, 12544]) {
  byTokens.push({
    tokens,
    measured: await run({ ...STAGE, tokens }, tokens <= GLOBAL_LIMIT ? ['dg', 'global'] : ['dg']),
  });
}
for (const name of ['dg', 'global'] as const) {
  const points = byTokens.flatMap((row) =>
    row.measured[name] ? [[row.tokens, row.measured[name].cpuMs] as const] : [],
  );
  console.log(`slope of log time over log N, ${name}: ${slope(points).toFixed(2)}`);
}
for (const topK of [24, 49, 196, 392]) await run({ ...STAGE, topK }, ['dg']);
for (const groups of [12, 24, 96, 192]) await run({ ...STAGE, groups }, ['dg']);

if (options.save) {
  const folder = fileURLToPath(new URL('../../results/', import.meta.url));
  await mkdir(folder, { recursive: true });
  const head =
    'tokens,heads,head_dim,groups,top_k,what,median_wall_ms,median_cpu_ms,runs_wall_ms,peak_bytes,macs,macs_executed';
  await writeFile(`${folder}wasm.csv`, `${[head, ...rows].join('\n')}\n`);
}
backend.dispose();
