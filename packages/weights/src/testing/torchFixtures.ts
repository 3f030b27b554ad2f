import { parseSafetensors } from '../safetensors/parse.ts';
import { fixture } from './bytes.ts';

/** A file written by PyTorch (scripts/make_fixtures.py). */
export function torchFixture(name: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(fixture(`torch/${name}`));
}

const expected = parseSafetensors(fixture('torch/expected.safetensors'));

/** What PyTorch says is in a fixture: `[name, dtype, shape, bytes]` of each tensor. */
export function expectedTensors(
  file: string,
): { name: string; dtype: string; shape: readonly number[]; bytes: Uint8Array }[] {
  return expected.names
    .filter((name) => name.startsWith(`${file}/`))
    .map((name) => {
      const { dtype, shape } = expected.info(name);
      return { name: name.slice(file.length + 1), dtype, shape, bytes: expected.bytes(name).slice() };
    });
}

/** The same as StateTensors, decoded by the reader of safetensors. */
export function expectedState(file: string, name: string) {
  return expected.get(`${file}/${name}`);
}
