import { unwrapper } from '../names/wrappers.ts';
import type { PickleValue } from '../pickle/values.ts';
import { quote } from '../weightsError.ts';
import { TorchFileError } from './errors.ts';
import { TorchTensor } from './objects.ts';

/** Which tensors of a checkpoint are its state dict, and under which names. */
export interface StateOptions {
  /**
   * The key, or the path of keys, under which the state dict lies; `[]` for the outermost dictionary. Default: the
   * first of `state_dict_ema`, `model_ema`, `state_dict`, `model`, `model_state` that holds tensors, if there is one.
   */
  readonly key?: string | readonly string[] | undefined;
  /** Whether `module.` and `_orig_mod.`, which wrappers put in front of every name, are taken off. Default true. */
  readonly stripPrefixes?: boolean | undefined;
}

/** The tensors that were chosen. */
export interface SelectedState {
  /** The keys that led to the state dict. */
  readonly path: readonly string[];
  readonly tensors: ReadonlyMap<string, TorchTensor>;
  /** Names in the state dict that are no tensors: extra state of modules, counters. */
  readonly ignored: readonly string[];
  /** Plain values beside the state dict, as text: `epoch`, `arch`, ... */
  readonly notes: ReadonlyMap<string, string>;
}

/** In the order in which timm prefers them. Averaged weights come before those of the last step. */
const CONTAINERS = ['state_dict_ema', 'model_ema', 'state_dict', 'model', 'model_state'];

type Dict = Map<PickleValue, PickleValue>;

/** @throws TorchFileError NoStateDict; InvalidArgument for a malformed key */
export function selectState(root: PickleValue, { key, stripPrefixes = true }: StateOptions = {}): SelectedState {
  const path = key === undefined ? findContainer(root) : checkedPath(key);
  let dict = root;
  for (const [depth, part] of path.entries()) {
    const inner = dict instanceof Map ? dict.get(part) : undefined;
    if (inner === undefined) throw noStateDict(root, `nothing lies under ${quote(path.slice(0, depth + 1).join('.'))}`);
    dict = inner;
  }
  if (!(dict instanceof Map) || !hasTensors(dict)) {
    const where = path.length === 0 ? 'its outermost dictionary' : `what lies under ${quote(path.join('.'))}`;
    throw noStateDict(root, `${where} holds no tensors`);
  }
  const names = [...dict.keys()].filter((name) => typeof name === 'string');
  const short = stripPrefixes ? unwrapper(names) : (name: string) => name;
  const tensors = new Map<string, TorchTensor>();
  const ignored: string[] = [];
  for (const [name, value] of dict) {
    if (typeof name !== 'string' || !(value instanceof TorchTensor)) {
      ignored.push(String(typeof name === 'object' ? '(not a name)' : name));
      continue;
    }
    if (tensors.has(short(name))) {
      throw new TorchFileError(
        'NoStateDict',
        `two tensors would be named ${quote(short(name))} without their prefixes. Pass { stripPrefixes: false }.`,
      );
    }
    tensors.set(short(name), value);
  }
  return { path, tensors, ignored, notes: path.length > 0 && root instanceof Map ? notesOf(root) : new Map() };
}

function findContainer(root: PickleValue): string[] {
  const path: string[] = [];
  // A container in a container occurs (Lightning in a trainer of one's own), three of them do not.
  for (let dict = root; dict instanceof Map && path.length < 3; ) {
    const map: Dict = dict;
    const key = CONTAINERS.find((name) => holdsState(map.get(name)));
    if (key === undefined) break;
    path.push(key);
    dict = map.get(key)!;
  }
  return path;
}

function holdsState(value: PickleValue | undefined): boolean {
  if (!(value instanceof Map)) return false;
  return hasTensors(value) || CONTAINERS.some((name) => hasTensors(value.get(name)));
}

function hasTensors(value: PickleValue | undefined): boolean {
  if (!(value instanceof Map)) return false;
  for (const item of value.values()) if (item instanceof TorchTensor) return true;
  return false;
}

function checkedPath(key: string | readonly string[]): readonly string[] {
  const path = typeof key === 'string' ? [key] : key;
  if (Array.isArray(path) && path.every((part) => typeof part === 'string')) return path;
  throw new TorchFileError('InvalidArgument', `key must be a string or an array of strings, got ${String(key)}.`);
}

const LONGEST_NOTE = 1000;

function notesOf(root: Dict): Map<string, string> {
  const notes = new Map<string, string>();
  for (const [key, value] of root) {
    const plain = typeof value !== 'object' && String(value).length <= LONGEST_NOTE;
    if (typeof key === 'string' && plain) notes.set(key, String(value));
  }
  return notes;
}

function noStateDict(root: PickleValue, fault: string): TorchFileError {
  const candidates: string[] = [];
  if (root instanceof Map) {
    for (const [key, value] of root) {
      if (typeof key === 'string' && hasTensors(value)) candidates.push(quote(key));
      if (candidates.length === 10) break;
    }
  }
  const what =
    root instanceof TorchTensor ? 'The file holds a single tensor: it is the `root`.' : 'Look into its `root`.';
  const hint = candidates.length > 0 ? `There are tensors under ${candidates.join(', ')}: pass one as { key }.` : what;
  return new TorchFileError('NoStateDict', `${fault}. ${hint}`);
}
