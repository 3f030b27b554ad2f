import { GraphBuilder, type Value } from './graphBuilder.ts';

/**
 * softmax(q k^T / sqrt(d)) v on [B, h, N, d], as PyTorch's exporter writes `scaled_dot_product_attention`: the scale is
 * divided between q and k, which keeps their product small.
 */
export function scaledDotProductAttention(graph: GraphBuilder, q: Value, k: Value, v: Value, headDim: number): Value {
  const scale = graph.scalar(headDim ** -0.25);
  const keys = graph.node('Transpose', [k], { perm: [0, 1, 3, 2] });
  const scores = graph.node('MatMul', [graph.node('Mul', [q, scale]), graph.node('Mul', [keys, scale])]);
  return graph.node('MatMul', [graph.node('Softmax', [scores], { axis: -1 }), v]);
}

/** Attention alone: `q`, `k`, `v` -> `out`, all [B, h, N, d]. */
export function attentionGraph(
  shape: readonly [batch: number, heads: number, tokens: number, headDim: number],
): Uint8Array<ArrayBuffer> {
  const graph = new GraphBuilder('attention');
  const [q, k, v] = ['q', 'k', 'v'].map((name) => graph.input(name, shape)) as [Value, Value, Value];
  return graph.finish([{ name: 'out', value: scaledDotProductAttention(graph, q, k, v, shape[3]), shape }]);
}

/** A product of matrices: `a` [M, K], `b` [K, N] -> `out` [M, N]. */
export function matMulGraph([m, k, n]: readonly [m: number, k: number, n: number]): Uint8Array<ArrayBuffer> {
  const graph = new GraphBuilder('matMul');
  const [a, b] = [graph.input('a', [m, k]), graph.input('b', [k, n])];
  return graph.finish([{ name: 'out', value: graph.node('MatMul', [a, b]), shape: [m, n] }]);
}
