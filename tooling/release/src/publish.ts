import { x } from 'tinyexec';
import type { Packed } from './pack.ts';

/**
 * Publishes the tarballs one after the other and tags the commit.
 *
 * npm publishes and not pnpm, because npm (11.5.1 or later) exchanges the workflow's OIDC identity for a short-lived
 * credential; pnpm's own publish does not in all versions of the 10 line. Versions that the registry has already are left
 * alone, so a run that broke off half-way can be repeated.
 */
export async function publish(packed: readonly Packed[]): Promise<void> {
  for (const { manifest, file } of packed) {
    const id = `${manifest.name}@${manifest.version}`;
    if (await isPublished(id)) {
      console.log(`${id} is in the registry already.`);
      continue;
    }
    await run('npm', ['publish', file, '--access', 'public', '--provenance']);
  }
  // Its output ("New tag: ...") is what the workflow's action makes GitHub releases from.
  await run('changeset', ['tag']);
}

async function isPublished(id: string): Promise<boolean> {
  const result = await x('npm', ['view', id, 'version', '--json']);
  if (result.exitCode === 0) return result.stdout.trim() !== '';
  if (/E404/.test(result.stdout + result.stderr)) return false;
  throw new Error(`Could not ask the registry about ${id}:\n${result.stderr}`);
}

async function run(command: string, args: string[]): Promise<void> {
  const result = await x(command, args, { nodeOptions: { stdio: 'inherit' } });
  if (result.exitCode !== 0) throw new Error(`${command} ${args.join(' ')} failed (exit code ${result.exitCode}).`);
}
