import { describe, expect, it } from 'vitest';
import { inPublishOrder, type Member } from './workspace.ts';

function member(name: string, dependencies: string[] = [], isPrivate = false): Member {
  const ranges = Object.fromEntries(dependencies.map((dependency) => [dependency, 'workspace:^']));
  return {
    folder: 'packages',
    dir: `/${name}`,
    manifest: { name, version: '0.0.0', private: isPrivate, dependencies: ranges },
  };
}

const names = (members: readonly Member[]) => members.map((m) => m.manifest.name);

describe('inPublishOrder', () => {
  it('puts dependencies first and leaves private members out', () => {
    const members = [
      member('app', ['top'], true),
      member('top', ['middle', 'base']),
      member('middle', ['base', 'tfjs']),
      member('base'),
    ];
    expect(names(inPublishOrder(members))).toEqual(['base', 'middle', 'top']);
  });

  it('refuses a circle', () => {
    expect(() => inPublishOrder([member('a', ['b']), member('b', ['a'])])).toThrow(/in a circle: a, b/);
  });
});
