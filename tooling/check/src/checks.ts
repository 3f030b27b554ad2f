import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Packed, packAll, readMembers, repositoryRoot } from '@saccade/release';
import { checkConsumer } from './consumer/consumer.ts';
import { layerViolations, readLayers } from './layers.ts';
import { type Check, refuse } from './runner.ts';
import { shell } from './shell.ts';
import { checkSizes } from './sizes.ts';
import { checkContents, checkPublint, checkTypes } from './tarballs.ts';

const toolRoot = fileURLToPath(new URL('..', import.meta.url));
const atRoot = { cwd: repositoryRoot };

/** All checks of `pnpm check`, in the order in which they start. Files that they make go below `temporary`. */
export function allChecks(temporary: string): Check[] {
  const layers = readLayers();
  let packed: readonly Packed[] = [];
  return [
    {
      name: 'format, lint, cycles',
      run: async () => lastLine(await shell('biome', ['check', '--error-on-warnings', '--colors=off', '.'], atRoot)),
    },
    {
      name: 'layers',
      run: async () => {
        const members = readMembers();
        refuse(layerViolations(members, layers));
        return `${members.length} workspace members`;
      },
    },
    { name: 'unused code', run: () => knip() },
    { name: 'build', run: () => turbo('build') },
    { name: 'types', run: () => turbo('typecheck') },
    { name: 'sizes', needs: ['build'], run: () => checkSizes(toolRoot) },
    {
      name: 'tarballs',
      needs: ['build'],
      run: async () => {
        packed = await packAll(repositoryRoot, join(temporary, 'tarballs'));
        return checkContents(packed);
      },
    },
    { name: 'publint', needs: ['tarballs'], run: () => checkPublint(packed) },
    { name: 'published types', needs: ['tarballs'], run: () => checkTypes(packed, toolRoot) },
    ...layers.operators.map((name) => ({
      name: `consumer of ${name}`,
      needs: ['tarballs'],
      run: () => checkConsumer(`@saccade/${name}`, packed, join(temporary, 'consumers'), toolRoot),
    })),
  ];
}

async function knip(): Promise<string> {
  await shell(join(toolRoot, 'node_modules/.bin/knip'), ['--no-progress'], atRoot);
  return '';
}

async function turbo(task: string): Promise<string> {
  // One task at a time beside the other checks; tsc is the greedy one, and small machines have two cores.
  const output = await shell(
    'turbo',
    ['run', task, '--output-logs=errors-only', '--continue=always', '--concurrency=2'],
    atRoot,
  );
  return /Tasks:\s+(.*)/.exec(output)?.[1] ?? '';
}

function lastLine(text: string): string {
  return text.trimEnd().split('\n').at(-1) ?? '';
}
