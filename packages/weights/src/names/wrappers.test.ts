import { describe, expect, it } from 'vitest';
import { unwrapper } from './wrappers.ts';

const unwrapped = (...names: string[]) => names.map(unwrapper(names));

describe('unwrapper', () => {
  it('takes off the prefixes that every name has, however many', () => {
    expect(unwrapped('module.a.weight', 'module.b')).toEqual(['a.weight', 'b']);
    expect(unwrapped('_orig_mod.module.a.b', '_orig_mod.module.c')).toEqual(['a.b', 'c']);
    expect(unwrapped('module.module.a.b', 'module.module.c')).toEqual(['a.b', 'c']);
  });

  it('leaves names alone where only some have them, and those of the wrapper itself', () => {
    expect(unwrapped('module.a', 'head.weight')).toEqual(['module.a', 'head.weight']);
    expect(unwrapped('n_averaged', 'module.a.weight')).toEqual(['n_averaged', 'a.weight']);
    expect(unwrapped('cls_token')).toEqual(['cls_token']);
    expect(unwrapped()).toEqual([]);
  });
});
