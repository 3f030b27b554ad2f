import { defineConfig } from 'vitest/config';

export default defineConfig({
  // Tests run on the sources of every package; the consumer checks in `pnpm check` run the packed builds.
  resolve: { conditions: ['@saccade/source'] },
  ssr: { resolve: { conditions: ['@saccade/source'], externalConditions: ['@saccade/source'] } },
  test: {
    include: ['{packages,apps,tooling}/*/src/**/*.test.ts'],
    // One process a file: tfjs keeps its engine and registries in globals.
    pool: 'forks',
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
