import * as tf from '@tensorflow/tfjs-core';
import { compareValues, type Values } from '../../core/check.ts';
import type { Bench, Comparison, NetworkTask, Prepared } from '../../core/comparison.ts';
import { tfjsContender, valuesOf } from '../../core/tfjsContender.ts';
import { type NetworkWeights, networkWeights } from '../../onnx/layers.ts';
import { networkGraph } from '../../onnx/networkGraph.ts';
import { normalInput } from '../support/inputs.ts';
import { askPeers } from '../support/peers.ts';
import { inputShape, type Network, workCost } from './network.ts';
import { LOGITS_TOLERANCE, networkContender } from './networkContender.ts';
import { StockWeights } from './StockWeights.ts';

/** The same network by the operations of TensorFlow.js alone. */
export type StockForward = (weights: StockWeights, x: tf.Tensor4D) => tf.Tensor2D;

/** A network of images of which others have the same, with the same weights. */
export interface SharedNetwork {
  readonly id: string;
  /** what peers are told */
  readonly model: string;
  readonly network: Network;
  readonly stock: StockForward;
}

/** The peers to which all others are compared, where they are there. */
const BASELINES = ['onnxruntime-web, wasm, 1 thread', 'onnxruntime-web, webgpu'];

/** One network for one image by us, by stock operations of TensorFlow.js, and by every peer. */
export function peersComparison(shared: SharedNetwork): Comparison {
  return {
    suite: 'backbones',
    id: `${shared.id}/forward`,
    parameters: { model: shared.model, input: shared.network.input.join('x'), batch: 1, direction: 'forward' },
    prepare: async (bench) => await preparePeers(bench, shared),
  };
}

async function preparePeers(bench: Bench, { model: name, network, stock }: SharedNetwork): Promise<Prepared> {
  const model = network.build().eval();
  const shape = inputShape(network);
  const values = normalInput('input', shape).values as Float32Array;
  const x = tf.tensor4d(values, shape as [number, number, number, number]);
  const weights = await networkWeights(model);
  const stockWeights = new StockWeights(weights);
  const cost = workCost(network, 'forward');
  let expected: Promise<Values> | undefined;
  const check = async (logits: ArrayLike<number>) => {
    expected ??= valuesOf(() => model.forward(x), 'explicit');
    return compareValues('our explicit path', [logits], await expected, LOGITS_TOLERANCE);
  };
  const peers = await askPeers(bench, taskOf(name, network, model, weights, values), {
    check,
    cost,
  });
  const ours = networkContender(bench, { ...network, name: 'saccade' }, model, {
    x,
    direction: 'forward',
    uploads: [...weights.values()].map(({ data }) => data),
  });
  const composed = tfjsContender(bench, {
    name: 'tfjs ops',
    role: 'peer',
    compute: () => stock(stockWeights, x),
    check: ([logits]) => check(logits as ArrayLike<number>),
    cost,
  });
  const baseline = peers.contenders.find((contender) => BASELINES.includes(contender.name))?.name ?? ours.name;
  return {
    contenders: [ours, composed, ...peers.contenders],
    absent: peers.absent,
    baseline,
    async dispose() {
      await peers.dispose();
      stockWeights.dispose();
      x.dispose();
      model.dispose();
    },
  };
}

/** What peers are asked for; the file is made once, when the first of them wants it. */
function taskOf(
  name: string,
  { input }: Network,
  model: object,
  weights: NetworkWeights,
  values: Float32Array,
): NetworkTask {
  const [height, width] = input as [number, number];
  let file: Promise<Uint8Array> | undefined;
  return {
    kind: 'network',
    model: name,
    input: channelsFirst(values, height * width),
    inputShape: [1, values.length / (height * width), height, width],
    onnx: () => {
      file ??= networkGraph(model, [height, width]);
      return file;
    },
    weights: async () => weights,
  };
}

/** [H, W, C] -> [C, H, W] */
function channelsFirst(values: Float32Array, positions: number): Float32Array {
  const channels = values.length / positions;
  return Float32Array.from(values, (_, i) => values[(i % positions) * channels + Math.floor(i / positions)] as number);
}
