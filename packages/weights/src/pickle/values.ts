/**
 * What a pickle is made of, as plain data:
 *
 * - None, bool, int, float, str: `null`, `boolean`, `number` (`bigint` beyond 2^53), `number`, `string`;
 * - tuple: a frozen array; list: an array;
 * - dict, OrderedDict, Counter: a `Map`; set: a `Set`;
 * - bytes: a `Uint8Array`;
 * - everything else: an instance of a class of ours, derived from {@link PickleObject}.
 */
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | readonly PickleValue[]
  | Map<PickleValue, PickleValue>
  | Set<PickleValue>
  | PickleObject;

/** Base of the classes that stand for objects of Python. None of them does more than hold data. */
export abstract class PickleObject {
  /** What Python would call it, for messages. */
  abstract readonly typeName: string;

  /** The values inside, for checks that walk the whole tree. */
  get children(): Iterable<PickleValue> {
    return [];
  }
}

/** An OrderedDict: the only kind of dict whose attributes a pickle may set. They are dropped. */
export class OrderedDict extends Map<PickleValue, PickleValue> {}

/** Counts what building values costs, so that a small file cannot make a large amount of work. */
export interface Budget {
  /** @throws PickleError LimitExceeded when `cost` units (about one object, or 32 bytes) are more than is left */
  charge(cost: number): void;
}

/** An object that takes a state after it was made (the instruction BUILD). */
export interface Buildable extends PickleObject {
  /** @throws PickleError InvalidPickle if the state is not what this class takes */
  build(state: PickleValue, budget: Budget): void;
}

export function isBuildable(value: PickleValue | undefined): value is Buildable {
  return value instanceof PickleObject && 'build' in value && typeof value.build === 'function';
}

/**
 * A class or function on the list, standing for our own constructor of plain data. It is a value only on the way to
 * one.
 */
export class PickleCallable extends PickleObject {
  readonly typeName: string;
  readonly call: (args: readonly PickleValue[], budget: Budget) => PickleValue;

  constructor(typeName: string, call: (args: readonly PickleValue[], budget: Budget) => PickleValue) {
    super();
    this.typeName = typeName;
    this.call = call;
  }
}

export function isTuple(value: PickleValue | undefined): value is readonly PickleValue[] {
  return Array.isArray(value) && Object.isFrozen(value);
}

export function isList(value: PickleValue | undefined): value is PickleValue[] {
  return Array.isArray(value) && !Object.isFrozen(value);
}

/** What Python would call the type of a value, for messages. */
export function typeNameOf(value: PickleValue | undefined): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'None';
  if (value instanceof PickleObject) return value.typeName;
  if (value instanceof Map) return 'a dict';
  if (value instanceof Set) return 'a set';
  if (value instanceof Uint8Array) return 'bytes';
  if (Array.isArray(value)) return isTuple(value) ? 'a tuple' : 'a list';
  return typeof value === 'string' ? 'a str' : typeof value === 'boolean' ? 'a bool' : 'a number';
}
