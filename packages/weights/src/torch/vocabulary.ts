import { PickleError } from '../pickle/errors.ts';
import type { PickleVocabulary } from '../pickle/unpickle.ts';
import {
  type Budget,
  isTuple,
  OrderedDict,
  PickleCallable,
  PickleObject,
  type PickleValue,
  typeNameOf,
} from '../pickle/values.ts';
import { TorchFileError } from './errors.ts';
import { NUMPY_GLOBALS } from './numpyObjects.ts';
import { makeTensor, Namespace, StorageClass, TorchConstant, TorchDtype, TorchTensor } from './objects.ts';
import { refusedGlobal } from './refusedGlobal.ts';
import { STORAGE_TYPES, TORCH_DTYPES } from './torchTypes.ts';

type Args = readonly PickleValue[];

/**
 * Everything a file of PyTorch may name: PyTorch's own list for `weights_only=True`, and the plain data of NumPy and
 * argparse that training scripts put beside the weights. Each stands for a constructor of ours; nothing of Python runs.
 */
const GLOBALS: ReadonlyMap<string, PickleValue> = new Map<string, PickleValue>([
  ...[...TORCH_DTYPES].map(([name, type]) => [`torch.${name}`, new TorchDtype(type)] as const),
  ...[...STORAGE_TYPES].flatMap(([name, type]) => {
    // Old files say where a storage lay, new ones name the untyped storage in its own module.
    return ['torch', 'torch.cuda', 'torch.storage'].map((m) => [`${m}.${name}`, new StorageClass(name, type)] as const);
  }),
  ...[
    'per_tensor_affine',
    'per_tensor_symmetric',
    'per_channel_affine',
    'per_channel_symmetric',
    'per_channel_affine_float_qparams',
  ].map((name) => [`torch.${name}`, new TorchConstant(`torch.${name}`)] as const),
  ...callables({
    'torch._utils._rebuild_tensor': (args, budget) => rebuild(args, 4, 4, budget),
    'torch._utils._rebuild_tensor_v2': (args, budget) => rebuild(args, 6, 7, budget, args[6]),
    'torch._utils._rebuild_tensor_v3': rebuildTyped,
    'torch._utils._rebuild_qtensor': (args, budget) => rebuild(args, 7, 7, budget),
    'torch._utils._rebuild_parameter': (args) => tensorOf(args, 3, 3),
    'torch._utils._rebuild_parameter_with_state': (args) => tensorOf(args, 4, 4),
    'torch.nn.parameter.Parameter': (args) => tensorOf(args, 1, 2),
    'torch._tensor._rebuild_from_type_v2': rebuildFromType,
    'torch._utils._rebuild_sparse_tensor': () => unsupported('a sparse tensor', 'tensor.to_dense()'),
    'torch._utils._rebuild_sparse_csr_tensor': () => unsupported('a sparse tensor', 'tensor.to_dense()'),
    'torch._utils._rebuild_meta_tensor_no_storage': () =>
      unsupported('a tensor without data (on the device "meta")', 'a model that was materialised'),
    'torch.Size': (args) => (args.length === 1 && isTuple(args[0]) ? args[0] : fault('torch.Size', args)),
    'torch.device': (args) => constant('torch.device', args),
    'torch.serialization._get_layout': (args) => constant('torch.layout', args),
    'collections.OrderedDict': (args, budget) => fill(new OrderedDict(), 'collections.OrderedDict', args, budget),
    'collections.Counter': (args, budget) => fill(new Map(), 'collections.Counter', args, budget),
    'builtins.set': setOf,
    'argparse.Namespace': (args) => (args.length === 0 ? new Namespace() : fault('argparse.Namespace', args)),
    '_codecs.encode': encode,
  }),
  ...NUMPY_GLOBALS,
  // A class of tensors, which is named in _rebuild_from_type_v2.
  ['torch.Tensor', new TorchConstant('torch.Tensor')],
]);

/**
 * The names in a file of PyTorch.
 *
 * @param persistent gives the storage behind a persistent id
 */
export function torchVocabulary(persistent: PickleVocabulary['persistent']): PickleVocabulary {
  return {
    find(module, name) {
      // Protocol 2 speaks the names of Python 2. A name with a dot would be looked up in a class, which it never has to
      // be.
      const full = `${module === '__builtin__' ? 'builtins' : module}.${name}`;
      const known = name.includes('.') ? undefined : GLOBALS.get(full);
      if (known === undefined) throw refusedGlobal(module, name);
      return known;
    },
    persistent,
  };
}

type Call = PickleCallable['call'];

function callables(table: Readonly<Record<string, Call>>): [string, PickleCallable][] {
  return Object.entries(table).map(([name, call]) => [name, new PickleCallable(name, call)]);
}

function fault(name: string, args: Args): never {
  throw new PickleError('InvalidPickle', `${name} is called with (${args.slice(0, 8).map(typeNameOf).join(', ')}).`);
}

function unsupported(what: string, instead: string): never {
  throw new TorchFileError('UnsupportedTensor', `it holds ${what}, which is not read. Save ${instead} in its place.`);
}

/**
 * (storage, offset, shape, stride, ...). For quantised tensors the quantiser follows: the stored integers are given.
 */
function rebuild(args: Args, least: number, most: number, budget: Budget, metadata?: PickleValue): TorchTensor {
  if (args.length < least || args.length > most) fault('_rebuild_tensor', args);
  return makeTensor(args[0], undefined, [args[1], args[2], args[3]], budget, lazyBits(metadata));
}

/** (storage, offset, shape, stride, requires_grad, hooks, dtype[, metadata]): PyTorch 2 and its newer types. */
function rebuildTyped(args: Args, budget: Budget): TorchTensor {
  const dtype = args[6];
  if (!(dtype instanceof TorchDtype) || args.length > 8) return fault('_rebuild_tensor_v3', args);
  return makeTensor(args[0], dtype.type, [args[1], args[2], args[3]], budget, lazyBits(args[7]));
}

/** PyTorch can put off negation and conjugation; it then stores the elements as they were before. */
function lazyBits(metadata: PickleValue | undefined): string | undefined {
  if (!(metadata instanceof Map)) return undefined;
  if (metadata.get('neg') === true) return 'tensor.resolve_neg()';
  return metadata.get('conj') === true ? 'tensor.resolve_conj()' : undefined;
}

/** A Parameter is its tensor: (tensor, requires_grad, hooks[, state]). */
function tensorOf(args: Args, least: number, most: number): TorchTensor {
  const [tensor] = args;
  if (!(tensor instanceof TorchTensor) || args.length < least || args.length > most) return fault('Parameter', args);
  return tensor;
}

/** (function, class, arguments, attributes): a tensor with attributes, which are dropped. */
function rebuildFromType(args: Args, budget: Budget): PickleValue {
  const [rebuildFunction, type, inner] = args;
  const plain = (type instanceof TorchConstant && type.typeName === 'torch.Tensor') || type === PARAMETER;
  if (args.length !== 4 || !plain || !(rebuildFunction instanceof PickleCallable) || !isTuple(inner)) {
    return fault('_rebuild_from_type_v2', args);
  }
  if (!rebuildFunction.typeName.startsWith('torch._utils.')) return fault('_rebuild_from_type_v2', args);
  return rebuildFunction.call(inner, budget);
}

const PARAMETER = GLOBALS.get('torch.nn.parameter.Parameter');

function constant(name: string, args: Args): TorchConstant {
  const good = args.length >= 1 && args.length <= 2 && args.every((arg) => /^(string|number)$/.test(typeof arg));
  if (!good || args.some((arg) => String(arg).length > 64)) return fault(name, args);
  return new TorchConstant(`${name}(${args.map((arg) => JSON.stringify(arg)).join(', ')})`);
}

/** No arguments, a dict, or a list of pairs. */
function fill(
  map: Map<PickleValue, PickleValue>,
  name: string,
  args: Args,
  budget: Budget,
): Map<PickleValue, PickleValue> {
  budget.charge(6);
  const [source] = args;
  if (source === undefined) return map;
  if (args.length > 1 || !(source instanceof Map || Array.isArray(source))) return fault(name, args);
  budget.charge(source instanceof Map ? source.size : source.length);
  for (const pair of source) {
    if (!Array.isArray(pair) || pair.length !== 2) return fault(name, args);
    const [key, value] = pair as [PickleValue, PickleValue];
    if (typeof key === 'object' && key !== null && !isTuple(key) && !(key instanceof PickleObject))
      return fault(name, args);
    // Of two values with one key, one would vanish.
    if (map.has(key)) return fault(name, args);
    map.set(key, value);
  }
  return map;
}

function setOf(args: Args, budget: Budget): Set<PickleValue> {
  const [items] = args;
  if (args.length !== 1 || !Array.isArray(items)) return fault('builtins.set', args);
  budget.charge(6 + items.length);
  return new Set(items as readonly PickleValue[]);
}

/** Protocol 2 has no bytes: Python writes them as text of the characters U+0000 to U+00FF, to be encoded again. */
function encode(args: Args, budget: Budget): Uint8Array {
  const [text, encoding] = args;
  if (args.length !== 2 || typeof text !== 'string' || encoding !== 'latin1') return fault('_codecs.encode', args);
  budget.charge(1 + text.length / 32);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0xff) throw new PickleError('InvalidPickle', 'bytes are written with characters beyond U+00FF.');
    bytes[i] = code;
  }
  return bytes;
}
