import { execFile } from 'node:child_process';
import { arch, availableParallelism, cpus, platform, release, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Machine, RunHeader } from '../core/run.ts';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));

/** What decides the numbers: neither results nor reports. */
const SOURCES = ['packages', 'tooling', 'apps/bench/src', 'pnpm-lock.yaml'];

/** This machine, this Node and these sources. */
export async function describeHome(): Promise<Pick<RunHeader, 'machine' | 'versions' | 'commit'>> {
  const commit = await commitOf(ROOT);
  return {
    machine: describeMachine(),
    versions: { node: process.versions.node },
    ...(commit !== undefined && { commit }),
  };
}

/** The machine, without its name. */
export function describeMachine(): Machine {
  // 0 where nothing limits this process, and more than there is on some systems.
  const limit = process.constrainedMemory() || Number.POSITIVE_INFINITY;
  return {
    processor: cpus()[0]?.model.trim() || `unknown ${arch()}`,
    cores: availableParallelism(),
    memory: Math.min(totalmem(), limit),
    system: `${platform()} ${arch()}, kernel ${release()}`,
  };
}

/** The commit of the sources in a folder, with `+` if they were changed since; nothing without git or a repository. */
export async function commitOf(folder: string): Promise<string | undefined> {
  try {
    const head = await git(folder, 'rev-parse', 'HEAD');
    const changes = await git(folder, 'status', '--porcelain', '--', ...SOURCES);
    return `${head.trim()}${changes.trim() === '' ? '' : '+'}`;
  } catch {
    return undefined;
  }
}

async function git(folder: string, ...words: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)('git', ['-C', folder, ...words], {
    timeout: 20_000,
    maxBuffer: 2 ** 24,
  });
  return stdout;
}
