import { CheckFailure, refuse } from './runner.ts';
import { shell } from './shell.ts';

interface Size {
  readonly name: string;
  readonly passed: boolean;
  /** Bytes of the minified, gzipped import. */
  readonly size: number;
  readonly sizeLimit: number;
}

/** size-limit's exit code when something is too big, but also when it could not measure at all. */
const OVER_BUDGET_OR_BROKEN = 1;

/** Bundles each import of `.size-limit.json` alone and compares its gzipped size with its budget. */
export async function checkSizes(toolRoot: string): Promise<string> {
  const output = await shell('size-limit', ['--json'], { cwd: toolRoot, accept: [0, OVER_BUDGET_OR_BROKEN] });
  const sizes = measurements(output);
  const line = ({ name, size, sizeLimit }: Size) => `${name} ${kilobytes(size)} of ${kilobytes(sizeLimit)} kB`;
  refuse(sizes.filter((size) => !size.passed).map((size) => `over budget: ${line(size)}`));
  return sizes.map(line).join('\n');
}

function measurements(output: string): Size[] {
  const parsed: unknown = output.startsWith('[') ? JSON.parse(output) : undefined;
  const complete = Array.isArray(parsed) && parsed.every((entry) => typeof entry.size === 'number');
  if (!complete) throw new CheckFailure(`size-limit could not measure:\n${output}`);
  return parsed;
}

const kilobytes = (bytes: number) => (bytes / 1000).toFixed(1);
