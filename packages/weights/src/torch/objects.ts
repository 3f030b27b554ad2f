import { PickleError } from '../pickle/errors.ts';
import { type Budget, isTuple, PickleObject, type PickleValue, typeNameOf } from '../pickle/values.ts';
import { TorchFileError } from './errors.ts';
import type { TorchType } from './torchTypes.ts';

/** The highest rank any tensor library accepts; it keeps a hostile shape from making much work. */
export const MAX_RANK = 64;

/** `torch.float32` and its like, as a value. */
export class TorchDtype extends PickleObject {
  readonly typeName: string;
  readonly type: TorchType;

  constructor(type: TorchType) {
    super();
    this.typeName = `torch.${type.dtype}`;
    this.type = type;
  }
}

/** A class of storages, `torch.FloatStorage` and its like. */
export class StorageClass extends PickleObject {
  readonly typeName: string;
  readonly type: TorchType;

  constructor(name: string, type: TorchType) {
    super();
    this.typeName = `torch.${name}`;
    this.type = type;
  }
}

/** A block of memory, of which tensors are views. Several tensors may share one. */
export class TorchStorage extends PickleObject {
  readonly typeName = 'a torch storage';
  /** Its name in the file. */
  readonly key: string;
  readonly type: TorchType;
  readonly byteLength: number;
  /** The storage of which this is a part, and where in it this begins: only in files of PyTorch before 0.4. */
  readonly base: { readonly storage: TorchStorage; readonly byteOffset: number } | undefined;

  constructor(key: string, type: TorchType, byteLength: number, base?: TorchStorage['base']) {
    super();
    this.key = key;
    this.type = type;
    this.byteLength = byteLength;
    this.base = base;
  }
}

/** A tensor of the file: which elements of which storage. The elements are read when asked for. */
export class TorchTensor extends PickleObject {
  readonly typeName = 'a torch tensor';
  readonly storage: TorchStorage;
  readonly type: TorchType;
  /** Position of its first element in the storage, in elements. */
  readonly offset: number;
  readonly shape: readonly number[];
  /** Distance in the storage of neighbours along each axis, in elements. */
  readonly stride: readonly number[];
  /** Why its elements are not what lies in the storage, if so. */
  readonly lazy: string | undefined;

  constructor(fields: Pick<TorchTensor, 'storage' | 'type' | 'offset' | 'shape' | 'stride' | 'lazy'>) {
    super();
    this.storage = fields.storage;
    this.type = fields.type;
    this.offset = fields.offset;
    this.shape = fields.shape;
    this.stride = fields.stride;
    this.lazy = fields.lazy;
  }

  get length(): number {
    return this.shape.reduce((product, size) => product * size, 1);
  }

  get byteLength(): number {
    return this.length * this.type.width;
  }

  /** Bytes of the storage from the first element of the tensor to its last. */
  get extent(): { start: number; end: number } {
    const { width } = this.type;
    const start = this.offset * width;
    if (this.length === 0) return { start, end: start };
    const last = this.shape.reduce((sum, size, axis) => sum + (size - 1) * this.stride[axis]!, 0);
    return { start, end: start + (last + 1) * width };
  }

  /** Whether its elements lie one after the other, in the order of the last axis first. */
  get isContiguous(): boolean {
    let expected = 1;
    for (let axis = this.shape.length - 1; axis >= 0; axis--) {
      const size = this.shape[axis]!;
      if (size !== 1 && this.stride[axis] !== expected) return false;
      expected *= size;
    }
    return true;
  }

  /**
   * The state of a Parameter in files of PyTorch 0.2 and 0.3, (requires_grad, volatile, hooks), says nothing of the
   * data.
   */
  build(state: PickleValue): void {
    if (!isTuple(state) || state.length !== 3) {
      throw new PickleError('InvalidPickle', `a tensor is given ${typeNameOf(state)} as state.`);
    }
  }
}

/**
 * A tensor from what a pickle says about it, if all its elements lie in the storage.
 *
 * @throws PickleError InvalidPickle for arguments of wrong types; TorchFileError InvalidCheckpoint for wrong numbers
 */
export function makeTensor(
  storage: PickleValue | undefined,
  type: TorchType | undefined,
  numbers: readonly [offset: PickleValue | undefined, shape: PickleValue | undefined, stride: PickleValue | undefined],
  budget: Budget,
  lazy?: string,
): TorchTensor {
  if (!(storage instanceof TorchStorage)) {
    throw new PickleError('InvalidPickle', `a tensor is made of ${typeNameOf(storage)} in place of a storage.`);
  }
  const [offset, shape, stride] = [[numbers[0] ?? null], numbers[1], numbers[2]].map(integers);
  if (offset === undefined || shape === undefined || stride === undefined || shape.length !== stride.length) {
    throw new PickleError(
      'InvalidPickle',
      `a tensor needs an offset, a shape and as many strides, as non-negative integers; at most ${MAX_RANK} axes.`,
    );
  }
  budget.charge(2 + shape.length);
  const tensor = new TorchTensor({ storage, type: type ?? storage.type, offset: offset[0]!, shape, stride, lazy });
  const { end } = tensor.extent;
  if (!Number.isSafeInteger(tensor.byteLength) || (tensor.length > 0 && !(end <= storage.byteLength))) {
    throw new TorchFileError(
      'InvalidCheckpoint',
      `a tensor of shape [${shape.join(', ')}], strides [${stride.join(', ')}] and offset ${offset[0]} reaches byte ${end} ` +
        `of a storage of ${storage.byteLength} bytes. The file was written wrongly or tampered with.`,
    );
  }
  return tensor;
}

/** A tuple or list of at most 64 non-negative integers, undefined for anything else. */
function integers(value: PickleValue | undefined): readonly number[] | undefined {
  if (!Array.isArray(value) || value.length > MAX_RANK) return undefined;
  const good = value.every((item) => typeof item === 'number' && Number.isSafeInteger(item) && item >= 0);
  return good ? Object.freeze([...(value as number[])]) : undefined;
}

/** `argparse.Namespace`: the options a training script was called with. */
export class Namespace extends PickleObject {
  readonly typeName = 'argparse.Namespace';
  readonly values = new Map<PickleValue, PickleValue>();

  override get children(): Iterable<PickleValue> {
    return this.values.values();
  }

  build(state: PickleValue, budget: Budget): void {
    if (state instanceof Map) budget.charge(state.size);
    if (!(state instanceof Map) || ![...state.keys()].every((key) => typeof key === 'string')) {
      throw new PickleError('InvalidPickle', `an argparse.Namespace is given ${typeNameOf(state)} as state.`);
    }
    for (const [key, value] of state) this.values.set(key, value);
  }
}

/** A constant of PyTorch that says nothing about the data: a device, a memory layout, a quantisation scheme. */
export class TorchConstant extends PickleObject {
  readonly typeName: string;

  /** @param typeName for example `torch.device('cuda:0')` */
  constructor(typeName: string) {
    super();
    this.typeName = typeName;
  }
}
