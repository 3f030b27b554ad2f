import { describe, expect, it } from 'vitest';
import { operatorNames, UsageError } from './names.ts';

describe('operatorNames', () => {
  it.each([
    ['lisa', 'lisa', 'Lisa'],
    ['dg-attention', 'dg', 'Dg'],
    ['attention-in-attention', 'attentionIn', 'AttentionIn'],
    ['window-2d', 'window2d', 'Window2d'],
  ])('knows the forms of %s', (kebab, camel, pascal) => {
    expect(operatorNames(kebab)).toEqual({ kebab, camel, pascal });
  });

  it.each([
    ['DgAttention', 'Did you mean "dg-attention"?'],
    ['my op', 'Did you mean "my-op"?'],
    ['../evil', 'Did you mean "evil"?'],
    ['-', 'expected kebab-case'],
    ['a--b', 'Did you mean "a-b"?'],
    ['9lives', 'Did you mean "lives"?'],
    ['a'.repeat(41), 'at most 40 characters'],
    ['attention', 'says nothing'],
    ['', 'expected kebab-case'],
  ])('refuses %j', (name, message) => {
    expect(() => operatorNames(name)).toThrow(UsageError);
    expect(() => operatorNames(name)).toThrow(message);
  });
});
