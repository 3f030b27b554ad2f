import { createModel, listModels, modelInfo } from '@saccade/backbones';
import type { Cost, Grid, Module } from '@saccade/nn';
import { product } from '@saccade/tensor-ops';
import type * as tf from '@tensorflow/tfjs-core';
import type { WorkCost } from '../../core/row.ts';

/** What is measured: `forward` gives logits, `step` the gradients of all weights in training mode too. */
export type Direction = 'forward' | 'step';

/** Any of the models of `@saccade/backbones`. */
export type NetworkModel = Module & { forward(x: tf.Tensor): tf.Tensor2D };

/** A network of the suite before it is built. */
export interface Network {
  /** names its row */
  readonly name: string;
  /** [H, W] of images, [T, H, W] of clips */
  readonly input: Grid;
  /** of the input; default 3 */
  readonly channels?: number;
  readonly cost: Pick<Cost, 'params' | 'macs'>;
  readonly classes: number;
  /** It chooses keys for its queries: rounding may tip a choice, and a tipped choice moves the logits. Default false. */
  readonly chooses?: boolean;
  /** Makes its weights, always the same ones. Nothing is drawn at random when it trains. */
  build(): NetworkModel;
}

/** A model of the catalogue. `input` defaults to that of the catalogue. */
export function catalogued(
  model: string,
  {
    name = model,
    input,
    channels = 3,
  }: { readonly name?: string; readonly input?: Grid; readonly channels?: number } = {},
): Network {
  const info = modelInfo(model, input ? { input } : {});
  const drops = listModels('*resnet*').includes(model) ? {} : { dropPath: 0 };
  return {
    name,
    input: info.input,
    channels,
    cost: info,
    classes: info.numClasses,
    chooses: listModels('dgt*').includes(model),
    build: () => createModel<string>(model, drops),
  };
}

/** Shape of a batch of one, channels last. */
export function inputShape({ input, channels = 3 }: Network): number[] {
  return [1, ...input, channels];
}

/** Bytes: weights and input are read, logits written; a step also writes a gradient for every weight. */
export function workCost(network: Network, direction: Direction): WorkCost {
  const { params, macs } = network.cost;
  const numbers = params + product(inputShape(network)) + network.classes;
  return direction === 'forward'
    ? { params, macs, bytes: 4 * numbers }
    : { params, macs: 3 * macs, bytes: 4 * (numbers + params) };
}
