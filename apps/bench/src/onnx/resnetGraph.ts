import type { ResNet } from '@saccade/backbones';
import { OnnxWriteError } from './errors.ts';
import { GraphBuilder, type Value } from './graphBuilder.ts';
import { Layers, networkWeights } from './layers.ts';

/** Of the batch normalisations of ResNets. */
const EPSILON = 1e-5;

/**
 * A residual network of bottlenecks as an ONNX file: `input` [B, 3, H, W] -> `logits` [B, classes]. Weights keep PyTorch's
 * names and layouts; batch normalisations stand for themselves.
 *
 * @param size [H, W] of the images
 * @param batch B, default 1
 * @throws OnnxWriteError Unsupported for a network with gates, or without a classifier
 */
export async function resnetGraph(
  model: ResNet,
  size: readonly [height: number, width: number],
  batch = 1,
): Promise<Uint8Array<ArrayBuffer>> {
  const { depths, stem, inChannels, numClasses, gate } = model.config;
  if (gate) throw new OnnxWriteError('Unsupported', 'a ResNet with gates; this graph is for one without.');
  if (numClasses === 0)
    throw new OnnxWriteError('Unsupported', 'a ResNet without a classifier; this graph ends with one.');
  const graph = new GraphBuilder('resnet');
  const layers = new Layers(graph, await networkWeights(model));
  const input = graph.input('input', [batch, inChannels, ...size]);
  const { kernel, stride } = stem;
  let maps = layers.convolution(input, 'conv1', { kernel, stride, padding: (kernel - 1) / 2 });
  maps = graph.node('Relu', [layers.batchNorm(maps, 'bn1', EPSILON)]);
  if (stem.pool) {
    maps = graph.node('MaxPool', [maps], { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] });
  }
  for (const [s, depth] of depths.entries()) {
    for (let i = 0; i < depth; i++) maps = bottleneck(layers, maps, `layer${s + 1}.${i}`, s > 0 && i === 0 ? 2 : 1);
  }
  const pooled = graph.node('Flatten', [graph.node('GlobalAveragePool', [maps])], { axis: 1 });
  return graph.finish([{ name: 'logits', value: layers.classifier(pooled, 'fc'), shape: [batch, numClasses] }]);
}

/** 1x1, 3x3 with the stride, 1x1, beside a shortcut that is a convolution where the shape changes. */
function bottleneck(layers: Layers, x: Value, name: string, stride: number): Value {
  const { graph } = layers;
  const normalized = (y: Value, i: 1 | 2 | 3, kernel: number, step: number) => {
    const maps = layers.convolution(y, `${name}.conv${i}`, { kernel, stride: step, padding: (kernel - 1) / 2 });
    return layers.batchNorm(maps, `${name}.bn${i}`, EPSILON);
  };
  const reduced = graph.node('Relu', [normalized(x, 1, 1, 1)]);
  const spatial = graph.node('Relu', [normalized(reduced, 2, 3, stride)]);
  const branch = normalized(spatial, 3, 1, 1);
  return graph.node('Relu', [graph.node('Add', [branch, shortcut(layers, x, `${name}.downsample`, stride)])]);
}

function shortcut(layers: Layers, x: Value, name: string, stride: number): Value {
  if (!layers.has(`${name}.0.weight`)) return x;
  return layers.batchNorm(layers.convolution(x, `${name}.0`, { kernel: 1, stride, padding: 0 }), `${name}.1`, EPSILON);
}
