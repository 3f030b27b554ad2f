import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { thrown } from '../testing/thrown.ts';
import {
  addPrefix,
  applyKeyMap,
  IDENTITY_KEYS,
  invertKeyMap,
  joinKeyMaps,
  type KeyMap,
  stripPrefix,
} from './keyMap.ts';
import { KeyMapError } from './keyMapError.ts';

const state = (...names: string[]) => new Map(names.map((name, i) => [name, i]));
const names = (map: KeyMap, ...of: string[]) => [...applyKeyMap(map, state(...of)).state.keys()];

const SWAP: KeyMap = {
  name: 'swap',
  rules: [
    { from: 'blocks.{i}.{rest*}', to: 'layers.{i}.{rest*}' },
    { from: 'layers.{i}.gamma_{n}', to: 'layers.{i}.ls{n}.gamma' },
    { from: 'fc.{leaf}', to: 'head.{leaf}' },
  ],
};

describe('applyKeyMap', () => {
  it('renames in order, passes on what stands under the names, and reports', () => {
    const before = state('blocks.0.gamma_1', 'blocks.10.attn.qkv.weight', 'fc.bias', 'cls_token');
    const { state: after, report } = applyKeyMap(SWAP, before);
    expect([...after]).toEqual([
      ['layers.0.ls1.gamma', 0],
      ['layers.10.attn.qkv.weight', 1],
      ['head.bias', 2],
      ['cls_token', 3],
    ]);
    expect(report).toEqual({
      map: 'swap',
      renamed: new Map([
        ['blocks.0.gamma_1', 'layers.0.ls1.gamma'],
        ['blocks.10.attn.qkv.weight', 'layers.10.attn.qkv.weight'],
        ['fc.bias', 'head.bias'],
      ]),
      unchanged: ['cls_token'],
      oneWay: [],
    });
  });

  it('applies every rule to what the ones before made of a name', () => {
    const chain: KeyMap = {
      name: 'chain',
      rules: [
        { from: 'a.{x}', to: 'b.{x}' },
        { from: 'b.{x}', to: 'c.{x}' },
      ],
    };
    expect(names(chain, 'a.1', 'b.2')).toEqual(['c.1', 'c.2']);
  });

  it('says which names the way back would not find again', () => {
    const { report } = applyKeyMap(SWAP, state('fc.weight', 'head.bias', 'layers.0.norm'));
    expect(report.oneWay).toEqual(['head.bias', 'layers.0.norm']);
    // In this order the first rule, read backwards, takes away what the second would need.
    const wrongOrder = { name: 'swap', rules: SWAP.rules.toReversed() };
    expect(applyKeyMap(wrongOrder, state('layers.0.gamma_1', 'blocks.0.norm')).report.oneWay).toEqual([
      'layers.0.gamma_1',
    ]);
    expect(applyKeyMap(stripPrefix('module.'), state('module.a', 'n_averaged')).report.oneWay).toEqual(['n_averaged']);
  });

  it('does not let two names become one', () => {
    const error = thrown(() => applyKeyMap(SWAP, state('head.bias', 'fc.bias')), KeyMapError);
    expect(error.code).toBe('Collision');
    expect(error.message).toMatch(/"head\.bias" and "fc\.bias" both become "head\.bias" by the map "swap"/);
  });

  it('refuses rules that would lose something of a name', () => {
    const lossy: KeyMap = { name: 'lossy', rules: [{ from: 'a.{x}.{y}', to: 'a.{x}' }] };
    const error = thrown(() => applyKeyMap(lossy, state()), KeyMapError);
    expect(error.code).toBe('InvalidRule');
    expect(error.message).toMatch(/"a\.\{x\}\.\{y\}" has the holes x, y, "a\.\{x\}" has x\./);
    expect(thrown(() => applyKeyMap(invertKeyMap(lossy), state()), KeyMapError).code).toBe('InvalidRule');
  });
});

describe('maps of maps', () => {
  it('invert: what a map made of names comes back', () => {
    const part = fc.constantFrom('blocks', 'layers', 'fc', 'head', '0', 'gamma_1', 'ls1', 'gamma', 'weight', 'module');
    const keys = fc.uniqueArray(fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('.')));
    fc.assert(
      fc.property(keys, (list) => {
        const before = state(...list);
        let applied: ReturnType<typeof applyKeyMap<number>>;
        try {
          applied = applyKeyMap(SWAP, before);
        } catch (error) {
          expect(error).toMatchObject({ code: 'Collision' });
          return;
        }
        const lost = new Set(applied.report.oneWay);
        const kept = new Map([...applied.state].filter(([, i]) => !lost.has(list[i] as string)));
        const back = applyKeyMap(invertKeyMap(SWAP), kept).state;
        expect([...back]).toEqual([...before].filter(([name]) => !lost.has(name)));
      }),
      { seed: 3, numRuns: 500 },
    );
  });

  it('invert twice: the map itself', () => {
    expect(invertKeyMap(invertKeyMap(SWAP))).toEqual(SWAP);
    expect(invertKeyMap(SWAP).name).toBe('inverse of swap');
  });

  it('join, strip and add prefixes', () => {
    const both = joinKeyMaps(stripPrefix('module.'), SWAP, addPrefix('student.'));
    expect(both.name).toBe('without module., then swap, then with student.');
    expect(names(both, 'module.fc.bias', 'cls_token')).toEqual(['student.head.bias', 'student.cls_token']);
    expect(names(invertKeyMap(both), 'student.head.bias')).toEqual(['module.fc.bias']);
    expect(names(IDENTITY_KEYS, 'a', 'b')).toEqual(['a', 'b']);
    for (const prefix of ['module', '', '.', 'a{b}.', 'a*.']) {
      const make = () => stripPrefix(prefix);
      if (prefix === '.') expect(thrown(make, KeyMapError).code).toBe('InvalidRule');
      else expect(thrown(make, KeyMapError).message).toContain(JSON.stringify(prefix));
    }
  });
});
