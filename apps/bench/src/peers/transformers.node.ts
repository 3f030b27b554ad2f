import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Absent, NetworkTask, PeerTask, PeerWork, SuitePlace } from '../core/comparison.ts';
import { orUndo, workFolder } from '../external/workFolder.node.ts';
import { planNetwork, type VitPlan } from './networkPlan.ts';
import { absentFor, type VersionedPeer } from './versionedPeer.ts';

const NAME = 'transformers.js, 1 thread';
const PACKAGE = '@huggingface/transformers';
/** folder of the model below the folder of all models, as on the hub */
const MODEL = 'model';

interface FoundPackage {
  /** file to import */
  readonly file: string;
  readonly version: string;
}

/** What is used of the package, whose own types only exist where it is installed. */
interface Transformers {
  readonly env: { allowRemoteModels: boolean; allowLocalModels: boolean; localModelPath: string };
  readonly AutoModelForImageClassification: {
    from_pretrained(name: string, options: Readonly<Record<string, unknown>>): Promise<TransformersModel>;
  };
  readonly Tensor: new (type: 'float32', data: Float32Array, dims: readonly number[]) => TransformersTensor;
}

interface TransformersTensor {
  readonly data: Float32Array;
  dispose?(): void;
}

interface TransformersModel {
  (inputs: Readonly<Record<string, TransformersTensor>>): Promise<{ readonly logits: TransformersTensor }>;
  readonly sessions: { readonly model: { readonly inputNames: readonly string[] } };
  dispose(): Promise<unknown>;
}

/**
 * transformers.js on the processor, for networks that its hub has: vision transformers. It loads ours from a folder in the
 * hub's layout, and computes with onnxruntime-node.
 *
 * The package is no dependency, since it takes half a gigabyte: it takes part where this app or the folder that
 * `SACCADE_TRANSFORMERS` names has it installed.
 */
export async function transformersPeer({ backend }: SuitePlace): Promise<VersionedPeer | Absent | undefined> {
  if (backend !== 'wasm') return undefined;
  const found = await findPackage();
  if (found === undefined) {
    return {
      name: NAME,
      reason: `not installed: npm i ${PACKAGE} somewhere, and name the folder in SACCADE_TRANSFORMERS`,
    };
  }
  const engine = `transformers.js ${found.version}, onnxruntime-node, 1 thread`;
  return {
    name: NAME,
    library: [PACKAGE, found.version],
    async prepare(task) {
      try {
        const plan = await planOf(task);
        if (typeof plan === 'string') return { name: NAME, reason: plan };
        return await workOf(await load(found), task as NetworkTask, plan, engine);
      } catch (error) {
        return absentFor(NAME, error);
      }
    },
    dispose: () => undefined,
  };
}

/** Where it is installed, by Node's rules; the package itself is not loaded. */
async function findPackage(folder = process.env.SACCADE_TRANSFORMERS): Promise<FoundPackage | undefined> {
  const starts = [...(folder === undefined ? [] : [pathToFileURL(join(folder, 'any.js')).href]), import.meta.url];
  for (const start of starts) {
    try {
      const file = createRequire(start).resolve(PACKAGE);
      const about: unknown = JSON.parse(await readFile(join(dirname(file), '..', 'package.json'), 'utf8'));
      return { file, version: (about as { readonly version: string }).version };
    } catch {
      // Not there: the next one.
    }
  }
  return undefined;
}

async function load({ file }: FoundPackage): Promise<Transformers> {
  return (await import(pathToFileURL(file).href)) as Transformers;
}

async function planOf(task: PeerTask): Promise<VitPlan | string> {
  if (task.kind !== 'network') return 'runs networks, and no single operations';
  const plan = planNetwork(await task.weights(), task.inputShape);
  if (typeof plan === 'string') return plan;
  if (plan.kind !== 'vit') return 'only asked for vision transformers';
  return plan;
}

async function workOf(
  { env, AutoModelForImageClassification, Tensor }: Transformers,
  task: NetworkTask,
  plan: VitPlan,
  engine: string,
): Promise<PeerWork> {
  const folder = await workFolder();
  return await orUndo(async () => {
    await writeModel(folder.path(MODEL), task, plan);
    env.allowRemoteModels = false;
    env.allowLocalModels = true;
    env.localModelPath = folder.path('');
    const model = await AutoModelForImageClassification.from_pretrained(MODEL, {
      device: 'cpu',
      dtype: 'fp32',
      session_options: { intraOpNumThreads: 1, interOpNumThreads: 1 },
    });
    const input = new Tensor('float32', task.input, task.inputShape);
    const [name = 'pixel_values'] = model.sessions.model.inputNames;
    const compute = async () => (await model({ [name]: input })).logits;
    return {
      engine,
      async run() {
        (await compute()).dispose?.();
        return undefined;
      },
      async result() {
        return (await compute()).data.slice();
      },
      async dispose() {
        await model.dispose();
        await folder.remove();
      },
    };
  }, folder.remove);
}

/** The files of a model of the hub. */
async function writeModel(folder: string, task: NetworkTask, plan: VitPlan): Promise<void> {
  await mkdir(join(folder, 'onnx'), { recursive: true });
  await writeFile(join(folder, 'onnx', 'model.onnx'), await task.onnx());
  await writeFile(join(folder, 'config.json'), JSON.stringify(configOf(task, plan)));
}

function configOf({ inputShape }: NetworkTask, { channels, patch, dim, depth, heads, hidden, classes }: VitPlan) {
  const labels = Array.from({ length: classes }, (_, i) => [i, `LABEL_${i}`] as const);
  return {
    model_type: 'vit',
    architectures: ['ViTForImageClassification'],
    image_size: inputShape[2],
    num_channels: channels,
    patch_size: patch[0],
    hidden_size: dim,
    num_hidden_layers: depth,
    num_attention_heads: heads,
    intermediate_size: hidden,
    hidden_act: 'gelu',
    layer_norm_eps: 1e-6,
    qkv_bias: true,
    id2label: Object.fromEntries(labels),
    label2id: Object.fromEntries(labels.map(([i, label]) => [label, i])),
  };
}
