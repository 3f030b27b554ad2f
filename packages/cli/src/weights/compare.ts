import type { WeightsFile } from '@saccade/weights';
import { withProgress } from '../terminal/progress.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { relativeDifference } from './values.ts';

/**
 * What differs between two files: names, shapes, and bytes and dtypes; or, with a tolerance, values.
 *
 * @param tolerance of `max |a - b| / max |b|` of each tensor; undefined: bit for bit
 */
export async function compare(
  file: WeightsFile,
  other: WeightsFile,
  tolerance: number | undefined,
  terminal: Terminal,
): Promise<string[]> {
  const differences = [
    ...other.names.filter((name) => !file.has(name)).map((name) => `${name} (missing)`),
    ...file.names.filter((name) => !other.has(name)).map((name) => `${name} (only here)`),
  ];
  const common = file.names.filter((name) => other.has(name));
  const total = common.reduce((sum, name) => sum + file.info(name).byteLength, 0);
  await withProgress(terminal, 'compare', async ({ update }) => {
    let done = 0;
    for (const name of common) {
      terminal.signal.throwIfAborted();
      const difference = await differenceOf(file, other, name, tolerance);
      if (difference !== undefined) differences.push(`${name} (${difference})`);
      done += file.info(name).byteLength;
      update(done, total);
    }
  });
  return differences;
}

async function differenceOf(
  file: WeightsFile,
  other: WeightsFile,
  name: string,
  tolerance: number | undefined,
): Promise<string | undefined> {
  const [a, b] = [file.info(name), other.info(name)];
  if (`${a.shape}` !== `${b.shape}`) return `shape [${a.shape}], other [${b.shape}]`;
  if (tolerance === undefined) {
    if (a.dtype !== b.dtype) return `dtype ${a.dtype}, other ${b.dtype}`;
    return Buffer.compare(await file.bytes(name), await other.bytes(name)) === 0 ? undefined : 'bytes';
  }
  const relative = relativeDifference((await file.get(name)).data, (await other.get(name)).data);
  return relative <= tolerance ? undefined : `by ${relative.toPrecision(3)}`;
}
