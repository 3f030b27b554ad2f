import { PickleWriter } from '../pickle/PickleWriter.ts';
import { SafetensorsError } from '../safetensors/errors.ts';
import { checkedItem, type Item, type Named, pairsOf } from '../safetensors/serialize.ts';
import type { StateTensor } from '../stateTensor.ts';
import { quote } from '../weightsError.ts';
import { writeZip, type ZipFile, zipLength } from '../zip/writeZip.ts';
import { TorchFileError } from './errors.ts';
import { STORAGE_TYPES } from './torchTypes.ts';

const FOLDER = 'archive';
/** Beyond, zip archives need fields that not every reader knows. */
const MAX_BYTES = 2 ** 32 - 1;

/** The class of storage for each type that every PyTorch since 1.6 reads. */
const STORAGE_CLASS: ReadonlyMap<string, string> = new Map(
  [...STORAGE_TYPES].filter(([name]) => name !== 'UntypedStorage').map(([name, { dtype }]) => [dtype, name]),
);

/**
 * Writes a state dict as torch.save does since PyTorch 1.6: an OrderedDict of tensors, which
 * `torch.load(path, weights_only=True)` reads.
 *
 * The order is kept, and the same tensors give the same bytes. Tensors of one dtype whose `data` is the same memory
 * (tied weights, as `toStateDict` of a checkpoint gives them) are stored once and share a storage in PyTorch, too. Data
 * of float16 and bfloat16 tensors is rounded to nearest, ties to even.
 *
 * @throws TorchFileError InvalidTensorView if a tensor's data, dtype and shape disagree, or PyTorch 1 has no such dtype
 *   (float8, uint16 and wider unsigned integers: use serializeSafetensors); InvalidArgument; TooLarge from 4 GiB on
 */
export function serializeTorch(tensors: Named<StateTensor>): Uint8Array {
  const pickle = new PickleWriter();
  const storages: ZipFile[] = [];
  const memory = new Map<ArrayBufferLike, Map<string, string>>();
  pickle.global('collections', 'OrderedDict').op('EMPTY_TUPLE').op('REDUCE').op('MARK');
  for (const [name, tensor] of entriesOf(tensors)) {
    const item = itemOf(name, tensor);
    const storageClass = STORAGE_CLASS.get(item.type.dtype);
    if (storageClass === undefined) {
      throw new TorchFileError(
        'InvalidTensorView',
        `tensor ${quote(name)} has dtype ${item.type.dtype}, which not every PyTorch reads. Convert it, or use ` +
          'serializeSafetensors.',
      );
    }
    const key = storageOf(tensor, item, storages, memory);
    writeTensor(pickle.string(name), item, storageClass, key);
  }
  const files = [
    { name: `${FOLDER}/data.pkl`, bytes: pickle.op('SETITEMS').finish() },
    { name: `${FOLDER}/byteorder`, bytes: new TextEncoder().encode('little') },
    ...storages,
    { name: `${FOLDER}/version`, bytes: new TextEncoder().encode('3\n') },
  ];
  const length = zipLength(files);
  if (length > MAX_BYTES) {
    throw new TorchFileError(
      'TooLarge',
      `the file would take ${length} bytes, more than 4 GiB. Use serializeSafetensors.`,
    );
  }
  return writeZip(files);
}

/**
 * The key of the storage with the bytes of this tensor: a new one, unless another tensor of its type is the same
 * memory.
 */
function storageOf(
  { data }: StateTensor,
  { type, bytes }: Item,
  storages: ZipFile[],
  memory: Map<ArrayBufferLike, Map<string, string>>,
): string {
  const regions = memory.get(data.buffer) ?? new Map<string, string>();
  memory.set(data.buffer, regions);
  const region = `${type.dtype} ${data.byteOffset} ${data.byteLength}`;
  let key = data.byteLength > 0 ? regions.get(region) : undefined;
  if (key === undefined) {
    key = String(storages.length);
    regions.set(region, key);
    storages.push({ name: `${FOLDER}/data/${key}`, bytes });
  }
  return key;
}

/** `_rebuild_tensor_v2(storage, offset, shape, stride, requires_grad, hooks)` */
function writeTensor(pickle: PickleWriter, { type, shape, bytes }: Item, storageClass: string, key: string): void {
  pickle.global('torch._utils', '_rebuild_tensor_v2').op('MARK').op('MARK');
  pickle.string('storage', true).global('torch', storageClass).string(key).string('cpu', true);
  pickle
    .integer((bytes.byteLength * 8) / type.bits)
    .op('TUPLE')
    .op('BINPERSID');
  pickle.integer(0).integers(shape).integers(stridesOf(shape)).op('NEWFALSE');
  pickle.global('collections', 'OrderedDict').op('EMPTY_TUPLE').op('REDUCE').op('TUPLE').op('REDUCE');
}

/** Row-major. PyTorch counts an axis of size 0 as 1 here. */
function stridesOf(shape: readonly number[]): number[] {
  const strides: number[] = [];
  let step = 1;
  for (const size of shape.toReversed()) {
    strides.unshift(step);
    step *= Math.max(size, 1);
  }
  return strides;
}

function entriesOf(tensors: Named<StateTensor>): [string, StateTensor][] {
  return translated(() => pairsOf(tensors, 'tensors'));
}

function itemOf(name: string, tensor: StateTensor): Item {
  return translated(() => checkedItem(name, tensor));
}

/** Both formats ask the same of a tensor. */
function translated<T>(check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (!(error instanceof SafetensorsError)) throw error;
    const code = error.code === 'InvalidArgument' ? 'InvalidArgument' : 'InvalidTensorView';
    throw new TorchFileError(code, error.message.slice(error.code.length + 2), { cause: error });
  }
}
