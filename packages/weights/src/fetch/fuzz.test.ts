import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { memoryCache } from './browser/caches.ts';
import { FetchWeightsError } from './errors.ts';
import { fetchWeights } from './portable.ts';
import { contentOf, sha256Of } from './testing/fetching.ts';
import { type Fault, pattern, type ServedFile, serveFile, TestServer } from './testing/server.ts';

/** `SACCADE_FUZZ_RUNS=10000` tries that many. */
const RUNS = Number(process.env.SACCADE_FUZZ_RUNS ?? 100);

const SIZE = 5000;
const VERSIONS = [0, 1, 2].map((seed) => pattern(SIZE - seed, seed));
const HASHES = VERSIONS.map(sha256Of);

const offset = fc.integer({ min: -1, max: SIZE });
const fault: fc.Arbitrary<Fault> = fc.oneof(
  fc.constant<Fault>('whole'),
  offset.map((cut) => ({ cut, afterMs: 0 })),
  fc.constantFrom(404, 416, 429, 500, 503).map((status) => ({ status })),
  fc.integer({ min: SIZE, max: 2 * SIZE }).map((announce) => ({ announce })),
);
const behaviour = fc.record({
  faults: fc.array(fault, { maxLength: 8 }),
  /** Before which requests the file is replaced by its next version. */
  changes: fc.uniqueArray(fc.nat(6), { maxLength: 2 }),
  etags: fc.constantFrom('strong', 'weak', 'none'),
  dates: fc.boolean(),
  ranges: fc.boolean(),
  /** Whether parts of a new version are given to those who ask for the old one. */
  careless: fc.boolean(),
  /** Which version is expected. */
  expected: fc.option(fc.constantFrom(0, 1, 2), { nil: undefined }),
  calls: fc.integer({ min: 1, max: 3 }),
});

describe('any server', () => {
  it('either gives one version of the file, whole, or an error of ours', {
    timeout: 60_000 + 1000 * RUNS,
  }, async () => {
    let outcome: (served: ReturnType<typeof serveFile>) => ReturnType<typeof serveFile> = (served) => served;
    let handler = serveFile({ bytes: new Uint8Array(0) });
    await using server = await TestServer.start((request, response) => outcome(handler)(request, response));
    let path = 0;
    const codes = new Map<string, number>();
    await fc.assert(
      fc.asyncProperty(behaviour, async ({ faults, changes, etags, dates, ranges, careless, expected, calls }) => {
        const file: ServedFile = { bytes: VERSIONS[0]!, ranges, next: [...faults] };
        let asked = 0;
        let version = 0;
        outcome = (served) => (request, response) => {
          if (changes.includes(asked++)) version++;
          file.bytes = VERSIONS[version]!;
          file.etag = etags === 'none' ? undefined : `${etags === 'weak' ? 'W/' : ''}"v${version}"`;
          file.lastModified = dates ? `Mon, 05 Jan 2026 1${version}:00:00 GMT` : undefined;
          if (careless) delete request.headers['if-range'];
          served(request, response);
        };
        handler = serveFile(file);
        const cache = memoryCache();
        const url = `${server.origin}/${path++}`;
        const sha256 = expected === undefined ? undefined : HASHES[expected];
        for (let call = 0; call < calls; call++) {
          try {
            const weights = await fetchWeights(url, {
              cache,
              sha256,
              retries: 2,
              backoffMs: 0,
              stallMs: 5000,
              onProgress: server.delivered,
            });
            const content = await contentOf(weights);
            expect(weights.sha256).toBe(content);
            expect(sha256 === undefined ? HASHES : [sha256]).toContain(content);
            expect(await cache.list()).toHaveLength(1);
            codes.set('ok', (codes.get('ok') ?? 0) + 1);
          } catch (error) {
            if (!(error instanceof FetchWeightsError)) throw error;
            expect(await cache.list()).toEqual([]);
            codes.set(error.code, (codes.get(error.code) ?? 0) + 1);
          }
        }
      }),
      { numRuns: RUNS, seed: 7 },
    );
    // The servers were bad enough to be of use, and not too bad.
    expect(codes.get('ok')).toBeGreaterThan(RUNS / 3);
    expect([...codes.keys()]).toEqual(expect.arrayContaining(['Network', 'HttpStatus', 'HashMismatch']));
  });
});
