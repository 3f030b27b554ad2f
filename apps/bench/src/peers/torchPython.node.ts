import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { pythonCandidates } from '../external/python.node.ts';

const run = promisify(execFile);

/** A Python with PyTorch. */
export interface TorchPython {
  readonly program: string;
  readonly version: string;
}

/** By what is installed, since importing it takes seconds. */
const SCRIPT = "import importlib.metadata; print(importlib.metadata.version('torch'))";
const PATIENCE_MS = 20_000;

/**
 * The first Python that has PyTorch; PyTorch itself is not started.
 *
 * @throws when there is none, with those that were asked
 */
export async function findTorchPython(candidates: readonly string[] = pythonCandidates()): Promise<TorchPython> {
  const versions = await Promise.all(candidates.map(torchVersion));
  const first = versions.findIndex((version) => version !== undefined);
  const [program, version] = [candidates[first], versions[first]];
  if (program !== undefined && version !== undefined) return { program, version };
  throw new Error(`no Python with PyTorch: asked ${candidates.join(', ')} (SACCADE_PYTHON names another one)`);
}

async function torchVersion(program: string): Promise<string | undefined> {
  try {
    const { stdout } = await run(program, ['-c', SCRIPT], { timeout: PATIENCE_MS });
    return stdout.trim() || undefined;
  } catch {
    return undefined;
  }
}
