import { fileURLToPath } from 'node:url';
import { describeOnBackends } from '@saccade/vitest-preset';
import { expect, it } from 'vitest';
import { passes } from './Checks.ts';
import { goldenFiles, replayFile } from './replay.ts';
import { fileLine } from './report.ts';

const directory = fileURLToPath(new URL('../golden/structsa', import.meta.url));
const files = await goldenFiles(directory);

describeOnBackends('golden files: structsa', (backend) => {
  it.each(files)('%s', async (file) => {
    const result = await replayFile(directory, file, backend.info);
    expect(result.outcome, fileLine(result)).toBe('ok');
    expect(result.checks.every(passes)).toBe(true);
  });
});

it('is the whole set', () => {
  expect(files).toHaveLength(42);
});
