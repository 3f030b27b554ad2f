import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { memoryCache } from './browser/caches.ts';
import { fileCache } from './node/fileCache.ts';
import { EXPECTED, exerciseCache } from './testing/exercise.ts';

describe('a cache', () => {
  it('in memory does what caches do', async () => {
    expect(await exerciseCache(async (options) => memoryCache(options))).toEqual(EXPECTED);
  });

  it('on disk does what caches do', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'weights-'));
    try {
      expect(await exerciseCache(async (options) => fileCache({ ...options, directory }))).toEqual(EXPECTED);
    } finally {
      await rm(directory, { recursive: true });
    }
  });
});
