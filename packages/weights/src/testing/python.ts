import { execFileSync } from 'node:child_process';

/**
 * A Python that has PyTorch, or undefined where there is none: the tests that need one are skipped there, and say so.
 * `SACCADE_PYTHON` names one that is not found by itself.
 */
export function pythonWithTorch(): string | undefined {
  const candidates = [process.env.SACCADE_PYTHON, 'python3', '/usr/bin/python3'].filter((path) => path !== undefined);
  return candidates.find((python) => {
    try {
      execFileSync(python, ['-c', 'import torch'], { stdio: 'ignore', timeout: 60_000 });
      return true;
    } catch {
      return false;
    }
  });
}
