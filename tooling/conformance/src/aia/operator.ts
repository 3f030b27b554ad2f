import { ContextAttention, type ContextOperator, type GateMaps } from '@saccade/aia';
import { type AxisGates, maxMean, scaleByAxisGates } from '@saccade/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';
import type { Checks } from '../Checks.ts';
import { relativeError } from '../compare.ts';
import { differentiate } from '../differentiate.ts';
import type { Golden } from '../Golden.ts';
import type { Handler } from '../handler.ts';
import { clipsOf, framesOf } from './clips.ts';

/** One operator in evaluation mode, with what its gates read and give where the file has it. */
export const operator: Handler = {
  family: 'aia',
  kind: /^attention module eval$/,
  async replay(golden, checks) {
    using layer = operatorOf(golden, 'state.');
    layer.eval();
    const x = clipsOf(golden, 'input');
    let maps: GateMaps = {};
    layer.recorder = (recorded) => {
      maps = Object.fromEntries(Object.entries(recorded).map(([axis, gate]) => [axis, tf.keep(tf.clone(gate))]));
    };
    const output = layer.forward(x);
    await checks.tensors('forward', { output: framesOf(output) });
    const taps = golden.names('tap.');
    if (taps.length > 0) await compareTaps(taps, layer, x, maps, golden, checks);
    tf.dispose([x, output, ...Object.values(maps)]);
  },
};

/** One operator in training mode, forward and backward, and its running statistics. */
export const operatorTraining: Handler = {
  family: 'aia',
  kind: /^attention module train-mode/,
  async replay(golden, checks) {
    using layer = operatorOf(golden, 'state_before.');
    layer.train();
    const [input, gradOutput] = [clipsOf(golden, 'input'), clipsOf(golden, 'grad_output')];
    const { output, gradInput, gradients } = await differentiate(layer, input, gradOutput, (x) =>
      layer.forward(x as tf.Tensor5D),
    );
    await checks.tensors('forward', { output: framesOf(output) });
    await checks.tensors('gradients', { grad_input: framesOf(gradInput) });
    tf.dispose([output, gradInput]);
    checks.under('gradients', 'grad.', gradients);
    const state = await layer.stateDict();
    for (const name of golden.names('state_after.')) {
      const group = name.endsWith('num_batches_tracked') ? 'exact' : 'statistics';
      checks.values(group, `state_after.${name}`, state.get(name));
    }
  },
};

/** STinC2 is the reference's name for the first public version of STinC. */
function operatorOf(golden: Golden, prefix: string): ContextAttention {
  const [reference, state] = [golden.text('cls'), golden.state(prefix)];
  const layer = new ContextAttention({
    operator: (reference === 'STinC2' ? 'STinC' : reference) as ContextOperator,
    stincVersion: reference === 'STinC2' ? 'june' : 'august',
    batchNorm: [...state.keys()].some((name) => name.includes('_bn.')),
  });
  layer.loadStateDict(state);
  return layer;
}

const AXES = { C: ['channel', 4], T: ['time', 1], H: ['height', 2], W: ['width', 3] } as const;

/** Where the axes that stay, in the order T, H, W, C, stand in what the reference convolves: [N, planes, a, b, c]. */
const ORDER = { C: [0, 1, 2], T: [2, 0, 1], H: [0, 2, 1], W: [0, 1, 2] } as const;

type Letter = keyof typeof AXES;

/** `tap.H_conv.in`: maximum and mean of what the gate reads; `tap.H_bn.out`: the gate before its sigmoid. */
async function compareTaps(
  taps: readonly string[],
  layer: ContextAttention,
  x: tf.Tensor5D,
  maps: GateMaps,
  golden: Golden,
  checks: Checks,
): Promise<void> {
  for (const tap of taps) {
    const letter = tap.charAt(0) as Letter;
    const [axis, position] = AXES[letter];
    const [a, b, c] = ORDER[letter];
    if (tap.endsWith('.in')) {
      const pooled = tf.tidy(() => {
        const read = maxMean(readBy(letter, layer, x, maps), position);
        return tf.transpose(read, [1, 0, 2 + a, 2 + b, 2 + c]);
      });
      await checks.tensors('forward', { [`tap.${tap}`]: pooled });
    } else {
      const gate = tf.tidy(() => {
        const ordered = tf.transpose(maps[axis] as tf.Tensor4D, [0, 1 + a, 1 + b, 1 + c]);
        return tf.expandDims(ordered, 1);
      });
      const { shape, data } = golden.get(`tap.${tap}`);
      const expected = Float32Array.from(data as Float32Array, (logit) => 1 / (1 + Math.exp(-logit)));
      const error = relativeError({ shape: gate.shape, data: await gate.data<'float32'>() }, { shape, data: expected });
      checks.add('forward', `tap.${tap}`, error);
      gate.dispose();
    }
  }
}

/** What the gate reads: the clip, or inside of CinST and STinC the clip as the other gates have scaled it. */
function readBy(letter: Letter, layer: ContextAttention, x: tf.Tensor5D, maps: GateMaps): tf.Tensor5D {
  if (layer.operator === 'CinST' && letter !== 'C') return scalePositions(x, maps.channel as tf.Tensor4D);
  if (layer.operator !== 'STinC' || letter !== 'C') return x;
  if (layer.stincVersion === 'august') return scaleByAxisGates(x, maps as AxisGates);
  const [batch, frames, height, width] = x.shape;
  const mean = (gate: tf.Tensor4D | undefined, shape: number[]) => tf.reshape(tf.mean(gate as tf.Tensor4D, 3), shape);
  const sum = tf.add(
    tf.add(mean(maps.time, [batch, 1, height, width]), mean(maps.height, [batch, frames, 1, width])),
    mean(maps.width, [batch, frames, height, 1]),
  );
  return scalePositions(x, tf.div(sum, 3));
}

function scalePositions(x: tf.Tensor5D, gate: tf.Tensor4D): tf.Tensor5D {
  const rows = tf.mul(tf.reshape(x, [gate.size, -1]), tf.reshape(gate, [gate.size, 1]));
  return tf.reshape(rows, x.shape) as tf.Tensor5D;
}
