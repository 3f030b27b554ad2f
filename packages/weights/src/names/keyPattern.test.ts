import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { thrown } from '../testing/thrown.ts';
import { KeyMapError } from './keyMapError.ts';
import { KeyPattern } from './keyPattern.ts';

const match = (pattern: string, name: string) => {
  const holes = new KeyPattern(pattern).match(name);
  return holes && Object.fromEntries(holes);
};

describe('KeyPattern', () => {
  it.each([
    ['head.weight', 'head.weight', {}],
    ['head.weight', 'head.bias', undefined],
    ['head.weight', 'module.head.weight', undefined],
    ['blocks{s}.{i}.attn.qkv.{leaf}', 'blocks3.11.attn.qkv.weight', { s: '3', i: '11', leaf: 'weight' }],
    ['blocks{s}.{i}.attn.qkv.{leaf}', 'blocks.11.attn.qkv.weight', undefined],
    ['blocks{s}.{i}.attn.qkv.{leaf}', 'blocks3.11.attn.qkv', undefined],
    ['a{x}b', 'ab', undefined],
    ['a{x}b', 'aab', { x: 'a' }],
    ['module.{rest*}', 'module.conv1.weight', { rest: 'conv1.weight' }],
    ['module.{rest*}', 'module.', undefined],
    ['module.{rest*}', 'modules.conv1.weight', undefined],
    ['{rest*}.weight', 'a.b.weight', { rest: 'a.b' }],
    ['{rest*}.weight', 'weight', undefined],
    ['x.{rest*}.{leaf}', 'x.y.z', { rest: 'y', leaf: 'z' }],
    ['{rest*}', '__proto__', { rest: '__proto__' }],
    // Text that would mean something in a regular expression means nothing here.
    ['a+.{i}', 'aa.1', undefined],
    ['a+.{i}', 'a+.1', { i: '1' }],
  ])('%s reads %s', (pattern, name, holes) => {
    expect(match(pattern, name)).toEqual(holes);
  });

  it.each(['{a}{b}', '{a}.{a}', '{a*}.{b*}', 'x{a*}', '{', 'a}', '{}', '{a b}', 'a*', '{a*}.{a}'])(
    'refuses %s',
    (text) => {
      const error = thrown(() => new KeyPattern(text), KeyMapError);
      expect(error.code).toBe('InvalidRule');
      expect(error.message).toContain(JSON.stringify(text));
    },
  );

  it('writes back what it read, whatever the name is', () => {
    const text = fc.string({ unit: fc.constantFrom('a', '1', '_'), minLength: 1, maxLength: 3 });
    const part = fc.oneof(text, text.map((hole) => `{${hole}}`), fc.tuple(text, text).map(([t, hole]) => `${t}{${hole}}z`)); // biome-ignore format: one list
    const patterns = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('.'));
    const names = fc.array(text, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('.'));
    let matched = 0;
    fc.assert(
      fc.property(patterns, names, (pattern, name) => {
        fc.pre(isPattern(pattern));
        const compiled = new KeyPattern(pattern);
        const holes = compiled.match(name);
        if (holes === undefined) return;
        matched++;
        expect(compiled.write(holes)).toBe(name);
      }),
      { numRuns: 3000, seed: 1 },
    );
    expect(matched).toBeGreaterThan(100);
  });

  it('takes time linear in the length of a name', () => {
    const pattern = new KeyPattern('{rest*}.conv1.net.{leaf}');
    const name = 'conv1.net.'.repeat(200_000);
    const start = performance.now();
    expect(pattern.match(name)).toBeUndefined();
    expect(performance.now() - start).toBeLessThan(2000);
  });
});

function isPattern(text: string): boolean {
  try {
    return new KeyPattern(text).holes.length >= 0;
  } catch {
    return false;
  }
}
