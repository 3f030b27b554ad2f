import * as v from 'valibot';
import { readJson } from '../annotations/json.ts';
import { DatasetError } from '../errors.ts';
import type { Files, ReadOptions } from '../files/files.ts';
import { insideRoot } from '../files/paths.ts';

/** A split, as `_info.json` describes it. */
export interface WebSplit {
  readonly name: string;
  readonly samples: number;
  readonly shards: readonly { readonly path: string; readonly samples: number }[];
}

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

const INFO = v.object({
  splits: v.record(
    v.string(),
    v.object({ num_samples: count, filenames: v.array(v.string()), shard_lengths: v.array(count) }),
  ),
});

/**
 * Reads the `_info.json` that timm keeps beside the shards of a data set: which shards each split has, and how many samples.
 *
 * @throws DatasetError `missing`; `annotation` if it is of another form, or its counts contradict one another; `path` for shards
 *   outside of the root
 */
export async function readWebInfo(
  files: Files,
  { path = '_info.json', ...options }: ReadOptions & { readonly path?: string } = {},
): Promise<ReadonlyMap<string, WebSplit>> {
  const { splits } = await readJson(files, path, INFO, options);
  return new Map(
    Object.entries(splits).map(([name, { num_samples: samples, filenames, shard_lengths: lengths }]) => {
      const total = lengths.reduce((sum, length) => sum + length, 0);
      if (lengths.length !== filenames.length || total !== samples) {
        throw new DatasetError({
          code: 'annotation',
          argument: `${path}, splits.${name}`,
          expected: `lengths of ${filenames.length} shards that add up to ${samples} samples`,
          actual: `${lengths.length} lengths that add up to ${total}`,
        });
      }
      const shards = filenames.map((file, i) => ({ path: insideRoot(file), samples: lengths[i] as number }));
      return [name, { name, samples, shards }];
    }),
  );
}
