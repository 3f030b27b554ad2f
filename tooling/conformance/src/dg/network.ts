import { createDgt, type DynamicGroupTransformer, type NormOrder } from '@saccade/backbones';
import * as tf from '@tensorflow/tfjs-core';
import type { Checks } from '../Checks.ts';
import type { Values } from '../compare.ts';
import { differentiate } from '../differentiate.ts';
import type { Golden } from '../Golden.ts';
import type { Handler } from '../handler.ts';
import { channelsFirst } from '../layout.ts';
import { type Attention, globalAttention, groupAttention } from './block.ts';
import { compareAll, mapOf, recordAll, withCounters } from './maps.ts';

/**
 * A whole DGT: logits, maps of the stages and all routing in evaluation mode, the same of the other order of norms with
 * cosine attention, then a forward and backward pass in training mode with fixed centroids.
 */
export const network: Handler = {
  family: 'dg',
  kind: /^network$/,
  async replay(golden, checks) {
    const [norm, attention] = [golden.text('norm') as NormOrder, golden.text('attention') as Attention];
    await evaluate(golden, checks, { norm, attention, mark: '' });
    if (golden.has('output.post.eval')) {
      await evaluate(golden, checks, { norm: 'post', attention: 'cosine', mark: 'post' });
    }
    await train(golden, checks, networkOf(golden, norm, attention));
  },
};

interface Form {
  readonly norm: NormOrder;
  readonly attention: Attention;
  /** what the names of the file's results hold to tell this form from the file's own */
  readonly mark: '' | 'post';
}

async function evaluate(golden: Golden, checks: Checks, { norm, attention, mark }: Form): Promise<void> {
  using model = networkOf(golden, norm, attention);
  model.eval();
  const x = mapOf(golden, 'input');
  const routing = recordAll(model);
  const maps = tf.tidy(() => model.forwardIntermediates(x).map(channelsFirst));
  for (const [s, map] of maps.entries()) {
    const name = `${mark ? `tap.${mark}` : 'tap'}.stage${s + 1}`;
    if (golden.has(name)) await checks.tensors('forward', { [name]: map });
    else map.dispose();
  }
  await checks.tensors('forward', { [mark ? `output.${mark}.eval` : 'output.eval']: model.forward(x) });
  await compareAll(routing, checks, mark ? `route.${mark}_eval.` : 'route.eval.');
  x.dispose();
}

async function train(golden: Golden, checks: Checks, network: DynamicGroupTransformer): Promise<void> {
  using model = network;
  model.train();
  const routing = recordAll(model);
  const [input, gradOutput] = [mapOf(golden, 'input'), golden.tensor('grad_output')];
  const { output, gradInput, gradients } = await differentiate(model, input, gradOutput, (x) => model.forward(x));
  await checks.tensors('forward', { 'output.train': output });
  await compareAll(routing, checks, 'route.train.');
  const inTorchLayout = channelsFirst(gradInput);
  const all = new Map<string, Values>([
    ...gradients,
    ['input', { shape: inTorchLayout.shape, data: await inTorchLayout.data() }],
  ]);
  tf.dispose([gradInput, inTorchLayout]);
  checks.under('gradients', 'grad.', all);
  checks.under('gradients', 'gradsample.', mapped(all, sample));
  checks.under('gradients', 'gradstat.', mapped(all, sumAndLength));
  checks.under('statistics', 'state_after.', await model.stateDict());
}

/** The network that a file describes, with its weights; without cosines the scales that it stores have no meaning. */
function networkOf(golden: Golden, normOrder: NormOrder, attention: Attention): DynamicGroupTransformer {
  const list = (key: string) => JSON.parse(golden.text(key)) as number[];
  const [dims, depths, heads] = [list('dims'), list('depths'), list('heads')] as [number[], number[], number[]];
  const last = dims.length - 1;
  const model = createDgt({
    dims,
    depths,
    mixers: dims.map((_, s) => (s === last ? globalAttention(attention) : groupAttention(golden, attention))),
    headDim: (dims[0] as number) / (heads[0] as number),
    normOrder,
    mlpRatio: golden.number('r'),
    stemDim: golden.number('stem_width'),
    headWidth: golden.number('fc'),
    numClasses: golden.number('num_classes'),
  });
  const state = [...golden.state('state.')].filter(
    ([name]) => attention === 'cosine' || !name.endsWith('.logit_scale'),
  );
  model.loadStateDict(withCounters(new Map(state), model));
  return model;
}

function mapped(
  gradients: ReadonlyMap<string, Values>,
  change: (data: ArrayLike<number>) => number[],
): Map<string, Values> {
  return new Map(
    [...gradients].map(([name, { data }]): [string, Values] => {
      const values = change(data as ArrayLike<number>);
      return [name, { shape: [values.length], data: values }];
    }),
  );
}

/** 128 values at equal distances. */
function sample(data: ArrayLike<number>): number[] {
  const step = Math.max(1, Math.floor(data.length / 128));
  return Array.from({ length: Math.min(128, data.length) }, (_, i) => data[i * step] as number);
}

function sumAndLength(data: ArrayLike<number>): number[] {
  let [sum, squares] = [0, 0];
  for (let i = 0; i < data.length; i++) {
    sum += data[i] as number;
    squares += (data[i] as number) ** 2;
  }
  return [sum, Math.sqrt(squares)];
}
