import type { Packed } from './pack.ts';
import type { Manifest } from './workspace.ts';

const REQUIRED = ['LICENSE', 'README.md', 'package.json', 'dist/index.js', 'dist/index.d.ts'];

/** Files that serve only this repository, and why each kind must stay at home. */
const UNWANTED: readonly (readonly [RegExp, string])[] = [
  [/\.(test|spec|bench)\./, 'a test or benchmark'],
  [/(^|\/)(fixtures|golden|testing|__tests__|__snapshots__)\//, 'test material'],
  [/(^|\/)(\.turbo|\.cache|node_modules|coverage|reports)\//, 'a working folder'],
  [/(^|\/)tsconfig[^/]*\.json$|\.tsbuildinfo$/, 'a compiler setting that extends a private package'],
];

/** Everything that makes one packed package unfit to publish; an empty list if nothing does. */
export function inspect(packed: Pick<Packed, 'paths' | 'manifest'>): string[] {
  const present = new Set(packed.paths);
  return [
    ...REQUIRED.filter((path) => !present.has(path)).map((path) => `${path} is missing`),
    ...packed.paths.flatMap((path) =>
      UNWANTED.filter(([pattern]) => pattern.test(path)).map(([, what]) => `${path} is ${what}`),
    ),
    ...staleOutputs(packed.paths).map((path) => `${path} has no source: delete dist and build again`),
    ...localVersions(packed.manifest),
  ];
}

/** tsc never deletes, so output of a renamed or removed source stays in `dist` until somebody notices. */
function staleOutputs(paths: readonly string[]): string[] {
  const present = new Set(paths);
  return paths.filter((path) => {
    const stem = /^dist\/(.+?)(\.d\.ts|\.js)(\.map)?$/.exec(path)?.[1];
    return stem !== undefined && !present.has(`src/${stem}.ts`);
  });
}

function localVersions(manifest: Manifest): string[] {
  const groups = ['dependencies', 'peerDependencies', 'optionalDependencies', 'devDependencies'] as const;
  return groups.flatMap((group) =>
    Object.entries(manifest[group] ?? {})
      .filter(([, range]) => /^(workspace|catalog|link|file):/.test(range))
      .map(([name, range]) => `${group} still says "${name}": "${range}", which only this workspace understands`),
  );
}
