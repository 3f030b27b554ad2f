import type { Array as JaxArray } from '@jax-js/jax';
import { isCounter, type PeerWeights, type ResNetPlan, type VitPlan } from './networkPlan.ts';

/** The library; imported only where it is used, since it is optional. */
export type Jax = typeof import('@jax-js/jax');

/** Arrays under PyTorch's names. */
export type JaxWeights = { [name: string]: JaxArray };

// jax-js counts references: whoever is given an array uses it up, and says `.ref` where it is needed once more.

/** softmax(q k^T / sqrt(d)) v on [B, h, N, d]. */
export function jaxAttention({ numpy: np, nn }: Jax, q: JaxArray, k: JaxArray, v: JaxArray): JaxArray {
  const scale = 1 / Math.sqrt(q.shape[3] as number);
  const weights = nn.softmax(np.matmul(q, np.matrixTranspose(k)).mul(scale), -1);
  return np.matmul(weights, v);
}

/** The numbers of a network on the device in use. */
export function jaxWeights({ numpy: np }: Jax, weights: PeerWeights): JaxWeights {
  const arrays = [...weights]
    .filter(([name]) => !isCounter(name))
    .map(([name, { shape, data }]) => [name, np.array(data as Float32Array<ArrayBuffer>, { shape: [...shape] })]);
  return Object.fromEntries(arrays) as JaxWeights;
}

/** Images [B, C, H, W] -> logits: DeiT, written in jax-js. Uses up both. */
export function jaxVit(jax: Jax, plan: VitPlan, weights: JaxWeights, images: JaxArray): JaxArray {
  const { numpy: np, nn } = jax;
  const { dim, heads, depth, classToken } = plan;
  const batch = images.shape[0] as number;
  const weight = (name: string) => take(weights, name);
  const linear = (name: string, x: JaxArray) =>
    np.matmul(x, np.transpose(weight(`${name}.weight`))).add(weight(`${name}.bias`));
  const norm = (name: string, x: JaxArray) => {
    const centred = x.ref.sub(np.mean(x, -1, { keepdims: true }));
    const variance = np.mean(np.square(centred.ref), -1, { keepdims: true });
    return centred
      .div(np.sqrt(variance.add(1e-6)))
      .mul(weight(`${name}.weight`))
      .add(weight(`${name}.bias`));
  };
  const attention = (name: string, x: JaxArray) => {
    const qkv = linear(`${name}.qkv`, x).reshape([batch, -1, 3, heads, dim / heads]);
    const [q, k, v] = np.unstack(np.transpose(qkv, [2, 0, 3, 1, 4])) as [JaxArray, JaxArray, JaxArray];
    const mixed = np.transpose(jaxAttention(jax, q, k, v), [0, 2, 1, 3]).reshape([batch, -1, dim]);
    return linear(`${name}.proj`, mixed);
  };
  const mlp = (name: string, x: JaxArray) =>
    linear(`${name}.fc2`, nn.gelu(linear(`${name}.fc1`, x), { approximate: false }));

  let x = linearPatches(jax, plan, weight, images);
  if (classToken) x = np.concatenate([np.tile(weight('cls_token'), [batch, 1, 1]), x], 1);
  x = x.add(weight('pos_embed'));
  for (let i = 0; i < depth; i++) {
    x = x.ref.add(attention(`blocks.${i}.attn`, norm(`blocks.${i}.norm1`, x)));
    x = x.ref.add(mlp(`blocks.${i}.mlp`, norm(`blocks.${i}.norm2`, x)));
  }
  x = norm('norm', x);
  return linear('head', classToken ? x.slice([], 0) : np.mean(x, 1));
}

/** Patches that do not overlap: cut, and one matrix. [B, C, H, W] -> [B, N, dim] */
function linearPatches(
  { numpy: np }: Jax,
  { channels, patch, dim }: VitPlan,
  weight: (name: string) => JaxArray,
  images: JaxArray,
): JaxArray {
  const [batch = 0, , height = 0, width = 0] = images.shape;
  const [ph, pw] = patch;
  const cut = images.reshape([batch, channels, height / ph, ph, width / pw, pw]);
  const rows = np.transpose(cut, [0, 2, 4, 1, 3, 5]).reshape([batch, -1, channels * ph * pw]);
  const matrix = weight('patch_embed.proj.weight').reshape([dim, -1]);
  return np.matmul(rows, np.transpose(matrix)).add(weight('patch_embed.proj.bias'));
}

/** Images [B, C, H, W] -> logits: ResNet of bottlenecks, version 1.5, written in jax-js. Uses up both. */
export function jaxResNet(
  { numpy: np, nn, lax }: Jax,
  plan: ResNetPlan,
  weights: JaxWeights,
  images: JaxArray,
): JaxArray {
  const weight = (name: string) => take(weights, name);
  const conv = (name: string, x: JaxArray, stride: number) => {
    const filters = weight(`${name}.weight`);
    const padding = ((filters.shape[2] as number) - 1) / 2;
    return lax.conv(
      x,
      filters,
      [stride, stride],
      [
        [padding, padding],
        [padding, padding],
      ],
    );
  };
  const norm = (name: string, x: JaxArray) => {
    const part = (of: string) => weight(`${name}.${of}`).reshape([-1, 1, 1]);
    const scale = part('weight').div(np.sqrt(part('running_var').add(1e-5)));
    return x.sub(part('running_mean')).mul(scale).add(part('bias'));
  };
  const bottleneck = (name: string, x: JaxArray, stride: number, changes: boolean) => {
    const shortcut = changes ? norm(`${name}.downsample.1`, conv(`${name}.downsample.0`, x.ref, stride)) : x.ref;
    let y = nn.relu(norm(`${name}.bn1`, conv(`${name}.conv1`, x, 1)));
    y = nn.relu(norm(`${name}.bn2`, conv(`${name}.conv2`, y, stride)));
    return nn.relu(norm(`${name}.bn3`, conv(`${name}.conv3`, y, 1)).add(shortcut));
  };

  let x = nn.relu(norm('bn1', conv('conv1', images, 2)));
  // Nothing is below zero after ReLU, so that zeros never win.
  x = np.pad(x, [
    [0, 0],
    [0, 0],
    [1, 1],
    [1, 1],
  ]);
  x = lax.reduceWindow(x, (window) => np.max(window), [1, 1, 3, 3], [1, 1, 2, 2]);
  for (const [s, depth] of plan.depths.entries()) {
    for (let i = 0; i < depth; i++) x = bottleneck(`layer${s + 1}.${i}`, x, s > 0 && i === 0 ? 2 : 1, i === 0);
  }
  return np.matmul(np.mean(x, [2, 3]), np.transpose(weight('fc.weight'))).add(weight('fc.bias'));
}

/** A weight, for the one layer that uses it up. */
function take(weights: JaxWeights, name: string): JaxArray {
  const array = weights[name];
  if (array === undefined) throw new Error(`the network has no weight "${name}"`);
  return array;
}
