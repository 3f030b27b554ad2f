import type { ShardResolver } from '../shards/resolve.ts';

/** A group of weights: entries of the manifest, and the bytes of its shards by name. */
export interface TestGroup {
  readonly weights: readonly object[];
  readonly shards: Readonly<Record<string, Uint8Array>>;
}

/** A model.json and what is beside it. */
export interface TestModel {
  readonly json: Uint8Array<ArrayBuffer>;
  readonly resolve: ShardResolver;
}

export function modelOf(groups: readonly TestGroup[], members: object = {}): TestModel {
  const weightsManifest = groups.map(({ weights, shards }) => ({ paths: Object.keys(shards), weights }));
  const files = new Map(groups.flatMap(({ shards }) => Object.entries(shards)));
  return {
    json: new TextEncoder().encode(JSON.stringify({ format: 'graph-model', ...members, weightsManifest })),
    resolve: (name) => files.get(name),
  };
}

/** Bytes cut at these places, as the shards `shard-1.bin`, `shard-2.bin`, ... */
export function cut(bytes: Uint8Array, ...places: number[]): Record<string, Uint8Array> {
  const ends = [...places, bytes.length];
  return Object.fromEntries(ends.map((end, i) => [`shard-${i + 1}.bin`, bytes.slice(ends[i - 1] ?? 0, end)]));
}
