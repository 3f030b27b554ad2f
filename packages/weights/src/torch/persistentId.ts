import { PickleError } from '../pickle/errors.ts';
import { isTuple, type PickleValue, typeNameOf } from '../pickle/values.ts';
import { StorageClass } from './objects.ts';
import type { TorchType } from './torchTypes.ts';

/** The reference to a storage in a pickle: ('storage', class, key, device, elements[, part of another]). */
export interface StorageReference {
  readonly className: string;
  readonly type: TorchType;
  readonly key: string;
  readonly byteLength: number;
  /** (key, offset, elements) of a part, or None; legacy files only. */
  readonly part: PickleValue;
}

const LONGEST_KEY = 64;

/**
 * Checks a persistent id: nothing but a storage is let through.
 *
 * @param length how many members the tuple has in this kind of file
 * @throws PickleError InvalidPickle
 */
export function storageReference(id: PickleValue, length: 5 | 6): StorageReference {
  const [kind, storageClass, key, , elements, part] = isTuple(id) && id.length === length ? id : [];
  if (kind !== 'storage' || !(storageClass instanceof StorageClass)) {
    throw new PickleError(
      'InvalidPickle',
      `it refers to ${typeof kind === 'string' ? JSON.stringify(kind.slice(0, 40)) : typeNameOf(id)} outside of the pickle, ` +
        'where only storages are.',
    );
  }
  const { type, typeName: className } = storageClass;
  return { className, type, key: storageKey(key), byteLength: byteCount(elements, type.width), part: part ?? null };
}

/** @throws PickleError InvalidPickle */
export function storageKey(key: PickleValue | undefined): string {
  if (typeof key === 'string' && key.length <= LONGEST_KEY) return key;
  throw new PickleError('InvalidPickle', `the key of a storage is ${typeNameOf(key)}, not a short str.`);
}

/** Bytes of a number of elements. @throws PickleError InvalidPickle */
export function byteCount(elements: PickleValue | undefined, width: number): number {
  if (typeof elements === 'number' && elements >= 0 && Number.isInteger(elements)) {
    if (Number.isSafeInteger(elements * width)) return elements * width;
  }
  throw new PickleError('InvalidPickle', 'a number of elements is not a non-negative integer.');
}
