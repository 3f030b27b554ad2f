import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A Python, and the versions of packages in it. */
export interface Python {
  readonly program: string;
  readonly versions: Readonly<Record<string, string>>;
}

/** Programs that may be a Python with what is needed: the one that `SACCADE_PYTHON` names comes first. */
export function pythonCandidates(environment: NodeJS.ProcessEnv = process.env): string[] {
  return [environment.SACCADE_PYTHON, 'python3', '/usr/bin/python3'].filter((program) => program !== undefined);
}

/** The first Python in which all of these packages are installed (`Pillow`, not `PIL`); undefined if there is none. */
export async function findPython(
  packages: readonly string[],
  candidates: readonly string[] = pythonCandidates(),
): Promise<Python | undefined> {
  const script =
    'import sys, json, importlib.metadata as m; print(json.dumps({name: m.version(name) for name in sys.argv[1:]}))';
  for (const program of candidates) {
    try {
      const { stdout } = await run(program, ['-c', script, ...packages]);
      return { program, versions: JSON.parse(stdout) as Record<string, string> };
    } catch {
      // Not there, or without these packages: the next one.
    }
  }
  return undefined;
}
