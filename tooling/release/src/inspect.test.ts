import { describe, expect, it } from 'vitest';
import { inspect } from './inspect.ts';

const fit = {
  paths: [
    'LICENSE',
    'README.md',
    'package.json',
    'dist/index.js',
    'dist/index.d.ts',
    'dist/index.js.map',
    'src/index.ts',
  ],
  manifest: { name: '@saccade/x', version: '1.0.0', dependencies: { '@saccade/y': '^1.0.0' } },
};

describe('inspect', () => {
  it('accepts a package with sources, build, licence and readme', () => {
    expect(inspect(fit)).toEqual([]);
  });

  it('names what is missing', () => {
    const paths = fit.paths.filter((path) => path !== 'LICENSE');
    expect(inspect({ ...fit, paths })).toEqual(['LICENSE is missing']);
  });

  it.each([
    ['src/a.test.ts', 'a test or benchmark'],
    ['dist/a.bench.js', 'a test or benchmark'],
    ['src/fixtures/a.json', 'test material'],
    ['.turbo/turbo-build.log', 'a working folder'],
    ['tsconfig.build.json', 'a compiler setting'],
  ])('refuses %s', (path, reason) => {
    expect(inspect({ ...fit, paths: [...fit.paths, path] }).join()).toContain(`${path} is ${reason}`);
  });

  it('refuses build output whose source is gone', () => {
    expect(inspect({ ...fit, paths: [...fit.paths, 'dist/old.d.ts'] })).toEqual([
      'dist/old.d.ts has no source: delete dist and build again',
    ]);
  });

  it.each(['workspace:^', 'catalog:', 'file:../y'])('refuses the range %s', (range) => {
    const manifest = { ...fit.manifest, dependencies: { '@saccade/y': range } };
    expect(inspect({ ...fit, manifest })[0]).toContain(range);
  });
});
