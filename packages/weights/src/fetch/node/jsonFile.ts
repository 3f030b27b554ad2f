import { open, rename, rm } from 'node:fs/promises';
import { ifThere } from './ioErrors.ts';

/** Our own descriptions have some 500 bytes; servers may send long ETags. */
const LARGEST = 2 ** 16;

/** The object in a JSON file; undefined if the file is not there, or holds something else. */
export async function readJson(path: string): Promise<Readonly<Record<string, unknown>> | undefined> {
  const file = await ifThere(open(path, 'r'));
  if (file === undefined) return undefined;
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(LARGEST), 0, LARGEST, 0);
    const value: unknown = JSON.parse(buffer.toString('utf8', 0, bytesRead));
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  } finally {
    await file.close();
  }
}

/** Others see the old content or all of the new. `temporary` is a path in the same folder that nobody else uses. */
export async function writeJson(path: string, temporary: string, value: object): Promise<void> {
  try {
    const file = await open(temporary, 'w', 0o600);
    try {
      await file.writeFile(`${JSON.stringify(value, undefined, 2)}\n`);
      await file.datasync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

export function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** A number of bytes. */
export function count(value: unknown): number | undefined {
  return Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : undefined;
}
