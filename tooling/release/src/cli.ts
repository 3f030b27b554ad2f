/**
 * `pnpm release:dry`: builds, packs and inspects every publishable package, and says what a release would publish.
 * `pnpm release`: the same, then publishes. Only the release workflow runs it, because it signs in through the workflow's
 * identity (trusted publishing) and not through a token that somebody keeps.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { x } from 'tinyexec';
import { inspect } from './inspect.ts';
import { type Packed, packAll } from './pack.ts';
import { nextVersions } from './plan.ts';
import { publish } from './publish.ts';
import { repositoryRoot } from './workspace.ts';

const program = new Command('release').description('Pack, inspect and publish the packages of this workspace.');
program
  .command('dry')
  .description('Say what would be published, in which order. Publishes nothing; exits 1 if a package is unfit.')
  .action(() => release(false));
program
  .command('publish')
  .description('Publish every version that the registry does not have yet. Meant for the release workflow.')
  .action(() => release(true));
try {
  await program.parseAsync();
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}

async function release(forReal: boolean): Promise<void> {
  const destination = await mkdtemp(join(tmpdir(), 'saccade-release-'));
  try {
    await build();
    const packed = await packAll(repositoryRoot, destination);
    console.log(`${packed.length} packages, in the order of publication:\n`);
    console.log(table(packed, await nextVersions(repositoryRoot)));
    const problems = packed.flatMap((p) => inspect(p).map((problem) => `${p.manifest.name}: ${problem}`));
    if (problems.length > 0) {
      console.error(`\nNot fit to publish:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
      process.exitCode = 1;
    } else if (forReal) {
      await publish(packed);
    } else {
      console.log('\nAll fit to publish. Dry run: nothing was published.');
    }
  } finally {
    await rm(destination, { recursive: true, force: true });
  }
}

async function build(): Promise<void> {
  const result = await x('turbo', ['run', 'build', '--output-logs=errors-only'], {
    nodeOptions: { cwd: repositoryRoot, stdio: 'inherit' },
  });
  if (result.exitCode !== 0) throw new Error('The build failed; nothing was packed.');
}

function table(packed: readonly Packed[], next: ReadonlyMap<string, string>): string {
  const rows = packed.map(({ manifest, bytes, paths }) => {
    const pending = next.get(manifest.name);
    const version = pending === undefined ? manifest.version : `${manifest.version} -> ${pending} (pending changesets)`;
    return [manifest.name, `${(bytes / 1000).toFixed(1)} kB`, `${paths.length} files`, version];
  });
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows
    .map(([name, size, files, version], i) => {
      const cells = [name!.padEnd(widths[0]!), size!.padStart(widths[1]!), files!.padStart(widths[2]!), version!];
      return `${String(i + 1).padStart(3)}. ${cells.join('  ')}`;
    })
    .join('\n');
}
