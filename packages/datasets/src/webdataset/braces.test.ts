import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { expandShards } from './braces.ts';

describe('expandShards', () => {
  // Each checked against bash: `printf '%s\n' PATTERN`.
  it.each([
    ['a-{0000..0003}.tar', ['a-0000.tar', 'a-0001.tar', 'a-0002.tar', 'a-0003.tar']],
    ['{8..11}', ['8', '9', '10', '11']],
    ['{08..11}', ['08', '09', '10', '11']],
    ['{3..1}', ['3', '2', '1']],
    ['{0..9..4}', ['0', '4', '8']],
    ['{9..0..4}', ['9', '5', '1']],
    ['{-01..1}', ['-01', '000', '001']],
    ['{train,val}/{0..1}.tar', ['train/0.tar', 'train/1.tar', 'val/0.tar', 'val/1.tar']],
    ['{a,b{1..2},c}', ['a', 'b1', 'b2', 'c']],
    ['{a,}b', ['ab', 'b']],
    ['{a}', ['{a}']],
    ['{}', ['{}']],
    ['a{b', ['a{b']],
    ['a}b', ['a}b']],
    ['{a..b..c}', ['{a..b..c}']],
    ['plain.tar', ['plain.tar']],
  ])('expands %s', (pattern, names) => {
    expect(expandShards(pattern)).toEqual(names);
  });

  it('does as bash does', () => {
    const patterns = [
      'x{01..3}{a,b}',
      '{a,{1..2}}z',
      '{0010..8}',
      '{-2..2}',
      '{5..5}',
      '{1..2}{x}',
      'p{q{1,2},r}{3..4}',
    ];
    const shell = (pattern: string) =>
      execFileSync('bash', ['-c', `printf '%s\\n' ${pattern}`], { encoding: 'utf8' })
        .trim()
        .split('\n');
    for (const pattern of patterns) expect(expandShards(pattern), pattern).toEqual(shell(pattern));
  });

  it('takes several patterns', () => {
    expect(expandShards(['a{1..2}', 'b'])).toEqual(['a1', 'a2', 'b']);
  });

  it.each([
    ['{0..100000}'],
    ['{0..999}{0..999}{0..999}{0..999}{0..999}{0..999}'],
    [`${'{0..999999999999999}'.repeat(30)}`],
    ['{'.repeat(30) + '1,2}'.repeat(30)],
    ['x'.repeat(10_001)],
  ])('refuses %.40s before it makes one name', (pattern) => {
    expect(() => expandShards(pattern)).toThrow(expect.objectContaining({ name: 'DatasetError', code: 'option' }));
  });

  it('takes many unclosed braces in no time', () => {
    const began = performance.now();
    expandShards('{'.repeat(10_000));
    expect(performance.now() - began).toBeLessThan(2000);
  });
});
