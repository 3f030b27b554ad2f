import { readFileSync } from 'node:fs';
import { inspect, type Packed } from '@saccade/release';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { CheckFailure, refuse } from './runner.ts';
import { shell } from './shell.ts';

/** The rules of `pnpm release:dry`: nothing missing, nothing that should have stayed at home. */
export function checkContents(packed: readonly Packed[]): string {
  refuse(packed.flatMap((p) => inspect(p).map((problem) => `${p.manifest.name}: ${problem}`)));
  return `${packed.length} packages`;
}

/** publint on every tarball; warnings and suggestions count as failures. */
export async function checkPublint(packed: readonly Packed[]): Promise<string> {
  const findings: string[] = [];
  for (const { member, file } of packed) {
    const tarball = new Uint8Array(readFileSync(file)).buffer;
    const { messages, pkg } = await publint({ pack: { tarball }, strict: true });
    for (const message of messages) {
      findings.push(`${member.manifest.name}: ${message.type}: ${formatMessage(message, pkg, { color: false })}`);
    }
  }
  refuse(findings);
  return `${packed.length} packages`;
}

/** are-the-types-wrong on every tarball, for packages that are ES modules only. */
export async function checkTypes(packed: readonly Packed[], toolRoot: string): Promise<string> {
  const findings: string[] = [];
  for (const { member, file } of packed) {
    try {
      await shell('attw', [file, '--profile', 'esm-only', '--format', 'ascii', '--no-emoji'], { cwd: toolRoot });
    } catch (error) {
      if (!(error instanceof CheckFailure)) throw error;
      findings.push(`${member.manifest.name}:\n${error.message}`);
    }
  }
  refuse(findings);
  return `${packed.length} packages`;
}
