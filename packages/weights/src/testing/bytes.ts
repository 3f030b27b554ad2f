import { readFileSync } from 'node:fs';
import { SafetensorsError } from '../safetensors/errors.ts';

/** Bytes written as in the reference tests: one character a byte, `\xff` and `\0` escapes for the rest. */
export function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (c) => {
    const code = c.charCodeAt(0);
    if (code > 0xff) throw new Error(`not a byte: ${c}`);
    return code;
  });
}

/** A file from its header (text, bytes, or an object to be written as JSON) and data, with a truthful length in front. */
export function fileOf(header: string | Uint8Array | object, data: Uint8Array | number = 0): Uint8Array {
  const text = header instanceof Uint8Array ? header : typeof header === 'string' ? header : JSON.stringify(header);
  const json = typeof text === 'string' ? new TextEncoder().encode(text) : text;
  const body = typeof data === 'number' ? new Uint8Array(data) : data;
  const file = new Uint8Array(8 + json.length + body.length);
  new DataView(file.buffer).setUint32(0, json.length, true);
  file.set(json, 8);
  file.set(body, 8 + json.length);
  return file;
}

export function fixture(name: string): Uint8Array {
  return readFileSync(new URL(`../fixtures/${name}`, import.meta.url));
}

/** The SafetensorsError that `run` throws. Anything else it throws, and a normal return, fails the test. */
export function errorOf(run: () => unknown): SafetensorsError {
  try {
    run();
  } catch (error) {
    if (error instanceof SafetensorsError) return error;
    throw error;
  }
  throw new Error('expected a SafetensorsError, nothing was thrown');
}
