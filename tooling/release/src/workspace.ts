import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folders whose direct children are workspace members (the same three as in pnpm-workspace.yaml). */
const FOLDERS = ['packages', 'apps', 'tooling'] as const;
type Folder = (typeof FOLDERS)[number];

/** The parts of a package.json that the release and the checks read. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly private?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** One workspace member: its manifest and where it lies. */
export interface Member {
  readonly folder: Folder;
  /** Absolute path. */
  readonly dir: string;
  readonly manifest: Manifest;
}

/** Absolute path of the repository this file stands in. */
export const repositoryRoot: string = fileURLToPath(new URL('../../..', import.meta.url));

/** Every workspace member, by folder and then by name. */
export function readMembers(root: string = repositoryRoot): Member[] {
  return FOLDERS.flatMap((folder) =>
    readdirSync(join(root, folder), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name)
      .sort()
      .map((name) => {
        const dir = join(root, folder, name);
        return { folder, dir, manifest: JSON.parse(readFileSync(join(dir, 'package.json'), 'utf8')) as Manifest };
      }),
  );
}

/**
 * The members that go to the registry, each after everything it depends on, so that whoever installs while a release is
 * under way never meets a version whose dependency is not there yet.
 *
 * @throws Error if the members depend on one another in a circle.
 */
export function inPublishOrder(members: readonly Member[]): Member[] {
  const waiting = new Map(members.filter((m) => !m.manifest.private).map((m) => [m.manifest.name, m]));
  const ordered: Member[] = [];
  while (waiting.size > 0) {
    const ready = [...waiting.values()].filter((m) => runtimeDependencies(m.manifest).every((d) => !waiting.has(d)));
    if (ready.length === 0) {
      throw new Error(`These packages depend on one another in a circle: ${[...waiting.keys()].join(', ')}.`);
    }
    for (const member of ready) waiting.delete(member.manifest.name);
    ordered.push(...ready);
  }
  return ordered;
}

/** Names of everything a user of the package gets or must bring. */
export function runtimeDependencies(manifest: Manifest): string[] {
  return Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies, ...manifest.peerDependencies });
}
