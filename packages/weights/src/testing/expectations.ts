import { expect } from 'vitest';
import { parseSafetensors } from '../safetensors/parse.ts';
import type { WeightsFile } from '../weightsFile.ts';
import { fixture } from './bytes.ts';

/** The bytes of a fixture as a plain array: a Buffer of Node is a part of a larger one. */
export function fixtureBytes(path: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(fixture(path));
}

/**
 * Compares every tensor of `file` with what the library that wrote it says is in it: `folder`/expected.safetensors holds
 * the tensors as `label/name`; those of types that safetensors has no name for as their bytes.
 */
export async function expectAsWritten(
  file: WeightsFile,
  folder: string,
  label: string,
  without: readonly string[] = [],
): Promise<void> {
  const expected = parseSafetensors(fixture(`${folder}/expected.safetensors`));
  const names = expected.names
    .filter((name) => name.startsWith(`${label}/`))
    .map((name) => name.slice(label.length + 1));
  expect(names.length).toBeGreaterThan(0);
  expect(file.names.filter((name) => !without.includes(name)).sort()).toEqual(names.sort());
  for (const name of names) {
    const { dtype, shape } = expected.info(`${label}/${name}`);
    const info = file.info(name);
    const bytes = await file.bytes(name);
    expect(bytes, name).toEqual(expected.bytes(`${label}/${name}`).slice());
    expect(bytes.byteLength, name).toBe(info.byteLength);
    if (dtype === info.dtype) {
      expect(info.shape, name).toEqual(shape);
      const { data, ...tensor } = await file.get(name);
      const other = expected.get(`${label}/${name}`);
      expect(tensor, name).toEqual({ dtype, shape });
      // NaN is not equal to NaN with every payload, bits are.
      expect(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), name).toEqual(
        new Uint8Array(other.data.buffer, other.data.byteOffset, other.data.byteLength).slice(),
      );
      expect(data.constructor, name).toBe(other.data.constructor);
    }
  }
}
