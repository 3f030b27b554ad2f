import { fileURLToPath } from 'node:url';
import { describeOnBackends } from '@saccade/vitest-preset';
import { expect, it } from 'vitest';
import { passes } from './Checks.ts';
import { goldenFiles, replayFile } from './replay.ts';
import { fileLine } from './report.ts';

/** Families by name, with the number of their files. */
const FAMILIES = { aia: 36, dg: 26, lisa: 79, structsa: 42 } as const;

for (const [family, count] of Object.entries(FAMILIES)) {
  const directory = fileURLToPath(new URL(`../golden/${family}`, import.meta.url));
  const files = await goldenFiles(directory);

  describeOnBackends(`golden files: ${family}`, (backend) => {
    it.each(files)('%s', async (file) => {
      const result = await replayFile(directory, file, backend.info);
      expect(result.outcome, fileLine(result)).toBe('ok');
      expect(result.checks.every(passes)).toBe(true);
    });
  });

  it(`is the whole set: ${family}`, () => {
    expect(files).toHaveLength(count);
  });
}
