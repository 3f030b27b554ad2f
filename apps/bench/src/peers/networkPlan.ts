/** Weights under PyTorch's names. */
export type PeerWeights = ReadonlyMap<string, { readonly shape: readonly number[]; readonly data: Float32Array }>;

/** A vision transformer with plain attention, as its weights tell it. */
export interface VitPlan {
  readonly kind: 'vit';
  readonly channels: number;
  /** [height, width] in pixels */
  readonly patch: readonly [number, number];
  readonly dim: number;
  readonly depth: number;
  readonly heads: number;
  /** width of the MLPs */
  readonly hidden: number;
  /** with the class token, where there is one */
  readonly tokens: number;
  readonly classToken: boolean;
  readonly classes: number;
}

/** A ResNet of bottlenecks with ImageNet's stem, as its weights tell it. */
export interface ResNetPlan {
  readonly kind: 'resnet';
  readonly channels: number;
  readonly width: number;
  /** bottlenecks of each stage */
  readonly depths: readonly number[];
  readonly classes: number;
}

/** No weight tells how many heads there are: all models of the catalogue have heads of 64. */
const HEAD_DIM = 64;

/**
 * What a network is, so that a peer can write it down in its own language: every weight must be one of a plain ViT, or
 * every one of a ResNet.
 *
 * @param input shape of the batch, [B, C, H, W]
 * @returns why it is neither, as a sentence for a row
 */
export function planNetwork(weights: PeerWeights, input: readonly number[]): VitPlan | ResNetPlan | string {
  if (input.length !== 4) return `not written for clips, [${input}]`;
  const names = new Set([...weights.keys()].filter((name) => !isCounter(name)));
  const shape = (name: string) => weights.get(name)?.shape ?? [];
  if (names.has('patch_embed.proj.weight')) return refuse(names, vitNames, planVit(names, shape, input));
  if (names.has('layer1.0.conv1.weight')) return refuse(names, resnetNames, planResNet(names, shape));
  return `only written for plain ViTs and ResNets, not for what has "${[...names][0]}"`;
}

/** `num_batches_tracked` counts steps of training; no result depends on it. */
export function isCounter(name: string): boolean {
  return name.endsWith('num_batches_tracked');
}

type Shapes = (name: string) => readonly number[];

function planVit(names: ReadonlySet<string>, shape: Shapes, input: readonly number[]): VitPlan | string {
  const [dim = 0, channels = 0, ...patch] = shape('patch_embed.proj.weight');
  const [height = 0, width = 0] = patch;
  const tokens = shape('pos_embed')[1] ?? 0;
  const classToken = names.has('cls_token');
  const depth = countOf(names, (i) => `blocks.${i}.norm1.weight`);
  if (dim % HEAD_DIM !== 0) return `heads of ${HEAD_DIM} channels do not divide ${dim}`;
  const patches = Math.floor((input[2] as number) / height) * Math.floor((input[3] as number) / width);
  if (patches + (classToken ? 1 : 0) !== tokens) return `position embedding for ${tokens} tokens, input of [${input}]`;
  const hidden = shape('blocks.0.mlp.fc1.weight')[0] ?? 0;
  const classes = shape('head.weight')[0] ?? 0;
  const heads = dim / HEAD_DIM;
  return { kind: 'vit', channels, patch: [height, width], dim, depth, heads, hidden, tokens, classToken, classes };
}

function planResNet(names: ReadonlySet<string>, shape: Shapes): ResNetPlan | string {
  const [width = 0, channels = 0, kernel] = shape('conv1.weight');
  if (kernel !== 7) return `only written for ResNets with a stem of 7x7, not ${kernel}x${kernel}`;
  const stages = countOf(names, (s) => `layer${s + 1}.0.conv1.weight`);
  const depths = Array.from({ length: stages }, (_, s) => countOf(names, (i) => `layer${s + 1}.${i}.conv1.weight`));
  return { kind: 'resnet', channels, width, depths, classes: shape('fc.weight')[0] ?? 0 };
}

/** The plan, unless there are other weights than a network of this plan has: they would do something. */
function refuse<Plan extends object>(
  names: ReadonlySet<string>,
  namesOf: (plan: Plan) => readonly string[],
  plan: Plan | string,
): Plan | string {
  if (typeof plan === 'string') return plan;
  const expected = new Set(namesOf(plan));
  const other = [...names].find((name) => !expected.has(name));
  if (other !== undefined) return `only written for plain ViTs and ResNets, which have no "${other}"`;
  const missing = [...expected].find((name) => !names.has(name));
  return missing === undefined ? plan : `only written for plain ViTs and ResNets, which have "${missing}"`;
}

function vitNames({ depth, classToken }: VitPlan): string[] {
  const layers = ['norm1', 'attn.qkv', 'attn.proj', 'norm2', 'mlp.fc1', 'mlp.fc2'];
  const blocks = Array.from({ length: depth }, (_, i) => layers.map((layer) => `blocks.${i}.${layer}`)).flat();
  return [
    ...(classToken ? ['cls_token'] : []),
    'pos_embed',
    ...['patch_embed.proj', ...blocks, 'norm', 'head'].flatMap((layer) => [`${layer}.weight`, `${layer}.bias`]),
  ];
}

function resnetNames({ depths }: ResNetPlan): string[] {
  const norm = (name: string) => ['weight', 'bias', 'running_mean', 'running_var'].map((part) => `${name}.${part}`);
  const blocks = depths.flatMap((depth, s) =>
    Array.from({ length: depth }, (_, i) => {
      const block = `layer${s + 1}.${i}`;
      const shortcut = i === 0 ? [`${block}.downsample.0.weight`, ...norm(`${block}.downsample.1`)] : [];
      return [1, 2, 3].flatMap((n) => [`${block}.conv${n}.weight`, ...norm(`${block}.bn${n}`)]).concat(shortcut);
    }).flat(),
  );
  return ['conv1.weight', ...norm('bn1'), ...blocks, 'fc.weight', 'fc.bias'];
}

function countOf(names: ReadonlySet<string>, name: (i: number) => string): number {
  let count = 0;
  while (names.has(name(count))) count++;
  return count;
}
