import { PickleError } from './errors.ts';
import { PickleObject, type PickleValue } from './values.ts';

/** The deepest nesting. A checkpoint has some ten levels. */
export const MAX_DEPTH = 200;

/**
 * Makes sure that whoever walks a tree of values comes to an end and does not run out of stack: nothing contains
 * itself, nothing is nested more than {@link MAX_DEPTH} deep. A value that occurs in many places is looked at once.
 *
 * @throws PickleError InvalidPickle, LimitExceeded
 */
export function checkShape(root: PickleValue): void {
  const heights = new Map<object, number>();
  const open = new Set<object>();
  const path: Frame[] = [];
  const enter = (value: PickleValue): number => {
    const children = childrenOf(value);
    if (children === undefined) return 0;
    const known = heights.get(value as object);
    if (known !== undefined) return known;
    if (open.has(value as object)) {
      throw new PickleError('InvalidPickle', 'a container contains itself, which no file of weights does.');
    }
    if (path.length >= MAX_DEPTH) throw tooDeep();
    open.add(value as object);
    path.push({ value: value as object, children: children[Symbol.iterator](), height: 0 });
    return 0;
  };
  enter(root);
  for (let frame = path.at(-1); frame !== undefined; frame = path.at(-1)) {
    const { done, value } = frame.children.next();
    if (!done) {
      frame.height = Math.max(frame.height, enter(value));
      continue;
    }
    path.pop();
    open.delete(frame.value);
    const height = frame.height + 1;
    heights.set(frame.value, height);
    const parent = path.at(-1);
    if (parent !== undefined) parent.height = Math.max(parent.height, height);
    if (path.length + height > MAX_DEPTH) throw tooDeep();
  }
}

interface Frame {
  readonly value: object;
  readonly children: Iterator<PickleValue>;
  height: number;
}

function tooDeep(): PickleError {
  return new PickleError('LimitExceeded', `containers are nested more than ${MAX_DEPTH} deep.`);
}

/** What is inside a container; undefined for values that contain nothing. */
function childrenOf(value: PickleValue): Iterable<PickleValue> | undefined {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return undefined;
  if (Array.isArray(value)) return value.length > 0 ? value : undefined;
  if (value instanceof Map) return value.size > 0 ? keysAndValues(value) : undefined;
  return value instanceof PickleObject ? value.children : value;
}

function* keysAndValues(map: ReadonlyMap<PickleValue, PickleValue>): Generator<PickleValue> {
  for (const [key, value] of map) {
    yield key;
    yield value;
  }
}
