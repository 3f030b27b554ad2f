import { quote } from '../weightsError.ts';
import { KeyMapError } from './keyMapError.ts';
import { KeyPattern } from './keyPattern.ts';

/**
 * Names of the form `from` become names of the form `to`; see {@link KeyPattern} for the forms. Both have the same holes, so
 * that nothing of a name is lost: a rule read backwards is a rule.
 *
 * ```ts
 * { from: 'head.weight', to: 'fc.weight' } //                               one name
 * { from: '{rest*}', to: 'base_model.{rest*}' } //                          a prefix
 * { from: 'blocks.{i}.gamma_{n}', to: 'blocks.{i}.ls{n}.gamma' } //         a pattern
 * ```
 */
export interface KeyRule {
  readonly from: string;
  readonly to: string;
}

/**
 * How the names of one layout become those of another: plain data. The rules apply one after the other, each to every name;
 * a name that does not have the form of a rule passes it unchanged. Only names change, never shapes or values.
 */
export interface KeyMap {
  readonly name: string;
  readonly rules: readonly KeyRule[];
}

/** What {@link applyKeyMap} did. */
export interface KeyMapReport {
  /** the name of the map */
  readonly map: string;
  /** new names by old ones, of all whose names changed */
  readonly renamed: ReadonlyMap<string, string>;
  /** names that stayed */
  readonly unchanged: readonly string[];
  /** old names that the inverse map would not give back: it would also change names that this map left alone */
  readonly oneWay: readonly string[];
}

/** Changes no name. */
export const IDENTITY_KEYS: KeyMap = { name: 'identity', rules: [] };

/**
 * A state dict under the names that a map gives, in the same order. The tensors (or whatever stands under the names) are
 * passed on as they are.
 *
 * @throws KeyMapError Collision if two names become one, InvalidRule for a map that is none
 */
export function applyKeyMap<T>(
  map: KeyMap,
  state: ReadonlyMap<string, T>,
): { state: Map<string, T>; report: KeyMapReport } {
  const [forward, back] = [renamer(map), renamer(invertKeyMap(map))];
  const mapped = new Map<string, T>();
  const origins = new Map<string, string>();
  const renamed = new Map<string, string>();
  const oneWay: string[] = [];
  for (const [old, value] of state) {
    const name = forward(old);
    const other = origins.get(name);
    if (other !== undefined) {
      throw new KeyMapError(
        'Collision',
        `${quote(other)} and ${quote(old)} both become ${quote(name)} by the map ${quote(map.name)}. ` +
          'Remove one of the two tensors, or take a map that keeps them apart.',
      );
    }
    origins.set(name, old);
    mapped.set(name, value);
    if (name !== old) renamed.set(old, name);
    if (back(name) !== old) oneWay.push(old);
  }
  const unchanged = [...state.keys()].filter((name) => !renamed.has(name));
  return { state: mapped, report: { map: map.name, renamed, unchanged, oneWay } };
}

/** The map back: the rules read backwards, the last first. @throws KeyMapError InvalidRule */
export function invertKeyMap({ name, rules }: KeyMap): KeyMap {
  return {
    name: name.startsWith(INVERSE) ? name.slice(INVERSE.length) : `${INVERSE}${name}`,
    rules: rules.map(({ from, to }) => ({ from: to, to: from })).reverse(),
  };
}

const INVERSE = 'inverse of ';

/** One map after the other, as one. */
export function joinKeyMaps(...maps: readonly KeyMap[]): KeyMap {
  return { name: maps.map(({ name }) => name).join(', then '), rules: maps.flatMap(({ rules }) => rules) };
}

/** Takes `prefix` off the names that begin with it: `module.`. The inverse puts it in front of every name. */
export function stripPrefix(prefix: string): KeyMap {
  return { name: `without ${prefix}`, rules: [{ from: `${literal(prefix)}{rest*}`, to: '{rest*}' }] };
}

/** Puts `prefix`, which ends with a dot, in front of every name. */
export function addPrefix(prefix: string): KeyMap {
  return { ...invertKeyMap(stripPrefix(prefix)), name: `with ${prefix}` };
}

/** @throws KeyMapError InvalidRule */
function literal(prefix: string): string {
  if (/^[^{}*]+\.$/.test(prefix)) return prefix;
  throw new KeyMapError(
    'InvalidRule',
    `a prefix is text without {, } and * that ends with a dot, such as "module."; got ${quote(prefix)}.`,
  );
}

/** @throws KeyMapError InvalidRule */
function renamer({ rules }: KeyMap): (name: string) => string {
  const pairs = rules.map((rule) => compiled(rule));
  return (name) =>
    pairs.reduce((current, [from, to]) => {
      const holes = from.match(current);
      return holes === undefined ? current : to.write(holes);
    }, name);
}

function compiled({ from, to }: KeyRule): [from: KeyPattern, to: KeyPattern] {
  const [source, target] = [new KeyPattern(from), new KeyPattern(to)];
  if (`${source.holes}` === `${target.holes}`) return [source, target];
  throw new KeyMapError(
    'InvalidRule',
    `${quote(from)} has the holes ${source.holes.join(', ') || '(none)'}, ${quote(to)} has ` +
      `${target.holes.join(', ') || '(none)'}. Both sides of a rule need the same.`,
  );
}
