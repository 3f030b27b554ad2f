import { readFileSync } from 'node:fs';
import type { Member } from '@saccade/release';
import { runtimeDependencies } from '@saccade/release';

/** Who may depend on whom; the data is `tooling/check/layers.json`. Names are without the scope. */
export interface Layers {
  /** Lowest floor first. A package depends only on packages of floors below its own, never on its neighbours. */
  readonly floors: readonly (readonly string[])[];
  /** The operator families. Their README examples are run as a consumer would run them. */
  readonly operators: readonly string[];
  /** Packages that must work without any model: they may use one another and tensor-ops, nothing else of ours. */
  readonly modelFree: readonly string[];
  /** Packages that must work without TensorFlow.js. */
  readonly tfjsFree: readonly string[];
}

const SCOPE = '@saccade/';
const WEBGPU_BACKEND = '@tensorflow/tfjs-backend-webgpu';

export function readLayers(): Layers {
  return JSON.parse(readFileSync(new URL('../layers.json', import.meta.url), 'utf8')) as Layers;
}

/** Every dependency in the workspace that breaks a rule of the house, as one sentence each. */
export function layerViolations(members: readonly Member[], layers: Layers): string[] {
  const floorOf = new Map(layers.floors.flatMap((names, floor) => names.map((name) => [name, floor] as const)));
  const packages = members.filter((m) => m.folder === 'packages');
  const names = new Set(packages.map((m) => shortName(m)));
  return [
    ...[...floorOf.keys()]
      .filter((name) => !names.has(name))
      .map((name) => `layers.json names "${name}", but packages/${name} does not exist`),
    ...members
      .filter((m) => m.folder !== 'packages' && !m.manifest.private)
      .map((m) => `${m.manifest.name} stands in ${m.folder}/ and must be private`),
    ...packages.flatMap((m) => packageViolations(m, layers, floorOf)),
  ];
}

function packageViolations(member: Member, layers: Layers, floorOf: ReadonlyMap<string, number>): string[] {
  const { manifest } = member;
  const name = shortName(member);
  const floor = floorOf.get(name);
  if (floor === undefined) return [`packages/${name} stands on no floor: add it to tooling/check/layers.json`];

  const runtime = runtimeDependencies(manifest);
  const ours = [...runtime, ...Object.keys(manifest.devDependencies ?? {})]
    .filter((dependency) => dependency.startsWith(SCOPE))
    .map((dependency) => dependency.slice(SCOPE.length));
  const violations: string[] = [];

  for (const dependency of ours) {
    const below = floorOf.get(dependency);
    if (below === undefined) {
      if (runtime.includes(SCOPE + dependency))
        violations.push(`${name} ships with a dependency on private ${dependency}`);
    } else if (below >= floor) {
      violations.push(`${name} (floor ${floor}) may not depend on ${dependency} (floor ${below}): only floors below`);
    } else if (
      layers.modelFree.includes(name) &&
      dependency !== 'tensor-ops' &&
      !layers.modelFree.includes(dependency)
    ) {
      violations.push(`${name} must work without models, but depends on ${dependency}`);
    }
  }
  for (const dependency of Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies })) {
    if (isTfjs(dependency)) violations.push(`${name}: ${dependency} must be a peer, or users get two copies of it`);
  }
  if (layers.tfjsFree.includes(name) && runtime.some(isTfjs))
    violations.push(`${name} must work without TensorFlow.js`);
  if (name !== 'tensor-ops' && runtime.includes(WEBGPU_BACKEND)) {
    violations.push(`${name} may not use ${WEBGPU_BACKEND}: that is the task of tensor-ops`);
  }
  return violations;
}

function isTfjs(dependency: string): boolean {
  return dependency.startsWith('@tensorflow/') || dependency === 'webgpu';
}

function shortName(member: Member): string {
  return member.manifest.name.slice(SCOPE.length);
}
