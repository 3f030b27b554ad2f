import type { VisionTransformer } from '@saccade/backbones';
import { OnnxWriteError } from './errors.ts';
import { GraphBuilder, type Value } from './graphBuilder.ts';
import { Layers, networkWeights } from './layers.ts';
import { scaledDotProductAttention } from './operatorGraphs.ts';

/** Of the LayerNorms of vision transformers. */
const EPSILON = 1e-6;

/**
 * A vision transformer with plain attention as an ONNX file: `input` [B, 3, H, W] -> `logits` [B, classes], for images of
 * the size that its position embedding is for. Weights keep PyTorch's names and layouts.
 *
 * @param batch B, default 1
 * @throws OnnxWriteError Unsupported for clips, other mixers and patches that overlap
 */
export async function vitGraph(model: VisionTransformer, batch = 1): Promise<Uint8Array<ArrayBuffer>> {
  const { inChannels, inputSize, dim, depth, headDim, numClasses, pooling } = model.config;
  assertPlain(model);
  const graph = new GraphBuilder('vision_transformer');
  const layers = new Layers(graph, await networkWeights(model));
  let tokens = embed(layers, model, graph.input('input', [batch, inChannels, ...inputSize]), batch);
  const heads = { batch, tokens: tokenCount(model), heads: dim / headDim, headDim };
  for (let i = 0; i < depth; i++) {
    const name = `blocks.${i}`;
    const mixed = attention(layers, layers.layerNorm(tokens, `${name}.norm1`, EPSILON), `${name}.attn`, heads);
    tokens = graph.node('Add', [tokens, scaled(layers, mixed, `${name}.ls1.gamma`)]);
    const hidden = layers.linear(layers.layerNorm(tokens, `${name}.norm2`, EPSILON), `${name}.mlp.fc1`);
    const fed = layers.linear(graph.node('Gelu', [hidden]), `${name}.mlp.fc2`);
    tokens = graph.node('Add', [tokens, scaled(layers, fed, `${name}.ls2.gamma`)]);
  }
  const normalized = layers.layerNorm(tokens, 'norm', EPSILON);
  const pooled = pooling === 'mean' ? meanToken(graph, normalized) : firstToken(graph, normalized, batch, dim);
  return graph.finish([{ name: 'logits', value: layers.classifier(pooled, 'head'), shape: [batch, numClasses] }]);
}

function assertPlain({ config }: VisionTransformer): void {
  const { gridRank, patch, mixers } = config;
  const other = mixers.find(({ name }) => name !== 'attention');
  if (gridRank !== 2)
    throw new OnnxWriteError('Unsupported', 'a vision transformer for clips; this graph is for images.');
  if (other) throw new OnnxWriteError('Unsupported', `the mixer "${other.name}"; this graph has plain attention.`);
  const [height, width] = patch.kernel;
  if (height !== width)
    throw new OnnxWriteError('Unsupported', `patches of ${patch.kernel}; this graph has square ones.`);
}

function tokenCount({ config: { grid, prefixTokens } }: VisionTransformer): number {
  return prefixTokens + (grid[0] as number) * (grid[1] as number);
}

/** Patches, class token and position embedding: [B, P + N, C]. */
function embed(layers: Layers, { config }: VisionTransformer, input: Value, batch: number): Value {
  const { graph } = layers;
  const { dim, patch, prefixTokens, positionEmbedding } = config;
  const side = patch.kernel[0] as number;
  const maps = layers.convolution(input, 'patch_embed.proj', { kernel: side, stride: side, padding: 0 });
  const rows = graph.node('Reshape', [maps, graph.integers([batch, dim, -1])]);
  let tokens = graph.node('Transpose', [rows], { perm: [0, 2, 1] });
  if (prefixTokens > 0) {
    const shape = graph.integers([batch, prefixTokens, dim]);
    tokens = graph.node('Concat', [graph.node('Expand', [layers.weight('cls_token'), shape]), tokens], { axis: 1 });
  }
  return positionEmbedding ? graph.node('Add', [tokens, layers.weight('pos_embed')]) : tokens;
}

interface Heads {
  readonly batch: number;
  readonly tokens: number;
  readonly heads: number;
  readonly headDim: number;
}

/** proj(softmax(q k^T / sqrt(d)) v), [B, N, C] -> [B, N, C]; the rows of `qkv` are [q | k | v], each [head][d]. */
function attention(layers: Layers, x: Value, name: string, { batch, tokens, heads, headDim }: Heads): Value {
  const { graph } = layers;
  const split = graph.integers([batch, tokens, 3, heads, headDim]);
  const rows = graph.node('Reshape', [layers.linear(x, `${name}.qkv`), split]);
  const parts = graph.nodes('Split', 3, [graph.node('Transpose', [rows], { perm: [2, 0, 3, 1, 4] })], {
    axis: 0,
    num_outputs: 3,
  });
  const [q, k, v] = parts.map((part) => graph.node('Squeeze', [part, graph.integers([0])]));
  const mixed = scaledDotProductAttention(graph, q as Value, k as Value, v as Value, headDim);
  const merged = graph.node('Transpose', [mixed], { perm: [0, 2, 1, 3] });
  return layers.linear(
    graph.node('Reshape', [merged, graph.integers([batch, tokens, heads * headDim])]),
    `${name}.proj`,
  );
}

/** With layer scale where the network has it. */
function scaled(layers: Layers, x: Value, name: string): Value {
  return layers.has(name) ? layers.graph.node('Mul', [x, layers.weight(name)]) : x;
}

function meanToken(graph: GraphBuilder, tokens: Value): Value {
  return graph.node('ReduceMean', [tokens, graph.integers([1])], { keepdims: 0 });
}

function firstToken(graph: GraphBuilder, tokens: Value, batch: number, dim: number): Value {
  const first = graph.node('Slice', [tokens, graph.integers([0]), graph.integers([1]), graph.integers([1])]);
  return graph.node('Reshape', [first, graph.integers([batch, dim])]);
}
