import { quote } from '../weightsError.ts';
import { PickleError } from './errors.ts';
import { type Budget, isList, isTuple, PickleObject, type PickleValue, typeNameOf } from './values.ts';

/**
 * Units of work, about an object or 32 bytes each: for every byte of a pickle; for any pickle at least; for any at
 * most. A real pickle needs one unit for two bytes, some 70 for a tensor.
 */
const UNITS_PER_BYTE = 2;
const LEAST_UNITS = 10_000;
const MOST_UNITS = 10_000_000;

/** The values a pickle works on. Every method that cannot do what is asked throws PickleError InvalidPickle. */
export class PickleStack implements Budget {
  readonly #values: PickleValue[] = [];
  readonly #marks: number[] = [];
  #unitsLeft: number;

  constructor(pickleBytes: number) {
    this.#unitsLeft = Math.min(LEAST_UNITS + UNITS_PER_BYTE * pickleBytes, MOST_UNITS);
  }

  charge(cost: number): void {
    this.#unitsLeft -= cost;
    if (this.#unitsLeft < 0) {
      throw new PickleError(
        'LimitExceeded',
        'it takes more objects than any file of weights of its size: it was made to exhaust memory. Do not use it.',
      );
    }
  }

  push(value: PickleValue): void {
    // A place on the stack, and then in a container.
    this.charge(0.5);
    this.#values.push(value);
  }

  /** Pushes a value that was made just now. */
  pushNew(value: PickleValue, cost: number): void {
    this.charge(cost);
    this.#values.push(value);
  }

  pushTuple(items: PickleValue[]): void {
    this.pushNew(Object.freeze(items), 1 + items.length / 8);
  }

  mark(): void {
    this.charge(1);
    this.#marks.push(this.#values.length);
  }

  top(): PickleValue {
    this.#need(1);
    return this.#values.at(-1)!;
  }

  pop(): PickleValue {
    this.#need(1);
    return this.#values.pop()!;
  }

  popMany(count: number): PickleValue[] {
    this.#need(count);
    return this.#values.splice(-count);
  }

  popToMark(): PickleValue[] {
    const mark = this.#marks.pop();
    if (mark === undefined) throw new PickleError('InvalidPickle', 'an instruction needs a mark, there is none.');
    return this.#values.splice(mark);
  }

  append(items: readonly PickleValue[]): void {
    const list = this.top();
    if (!isList(list))
      throw new PickleError('InvalidPickle', `items are appended to ${typeNameOf(list)}, not to a list.`);
    for (const item of items) list.push(item);
  }

  setItems(pairs: readonly PickleValue[]): void {
    const dict = this.top();
    if (!(dict instanceof Map) || pairs.length % 2 !== 0) {
      throw new PickleError('InvalidPickle', `${pairs.length} keys and values are set in ${typeNameOf(dict)}.`);
    }
    for (let i = 0; i < pairs.length; i += 2) {
      const key = pairs[i]!;
      if (!isHashable(key)) throw new PickleError('InvalidPickle', `${typeNameOf(key)} cannot be the key of a dict.`);
      if (dict.has(key)) {
        const shown = typeof key === 'string' ? quote(key) : typeNameOf(key);
        throw new PickleError('InvalidPickle', `a dict has the key ${shown} twice, so that one value would vanish.`);
      }
      this.charge(1);
      dict.set(key, pairs[i + 1]!);
    }
  }

  /** The one value that is left at the end. */
  finish(): PickleValue {
    if (this.#values.length !== 1 || this.#marks.length !== 0) {
      throw new PickleError(
        'InvalidPickle',
        `it ends with ${this.#values.length} values and ${this.#marks.length} marks on the stack, not with one value.`,
      );
    }
    return this.#values[0]!;
  }

  /** Values below the last mark belong to somebody else. */
  #need(count: number): void {
    const available = this.#values.length - (this.#marks.at(-1) ?? 0);
    if (available < count) {
      throw new PickleError(
        'InvalidPickle',
        `an instruction needs ${count} values on the stack, there are ${available}.`,
      );
    }
  }
}

function isHashable(key: PickleValue): boolean {
  if (typeof key !== 'object' || key === null) return true;
  return isTuple(key) || key instanceof Uint8Array || key instanceof PickleObject;
}
