import { readFileSync } from 'node:fs';

/** A file of `fixtures`, which GNU tar and Python wrote. */
export function fixture(name: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(`../fixtures/${name}`, import.meta.url)));
}

/** What the headers of a member say, right or wrong. */
export interface MemberOptions {
  readonly type?: string;
  /** in the header; default: what there is */
  readonly size?: number;
  /** bytes of the size field as they are */
  readonly sizeField?: Uint8Array;
}

/** The blocks of a member. */
export function member(name: string, content: string | Uint8Array = '', options: MemberOptions = {}): Uint8Array {
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
  const { type = '0', size = bytes.byteLength, sizeField } = options;
  const blocks = new Uint8Array(512 + 512 * Math.ceil(bytes.byteLength / 512));
  const text = (at: number, value: string) => blocks.set(new TextEncoder().encode(value), at);
  text(0, name);
  text(100, '0000644\0');
  if (sizeField) blocks.set(sizeField, 124);
  else text(124, `${size.toString(8).padStart(11, '0')}\0`);
  text(156, type);
  text(257, 'ustar\u000000');
  text(148, ' '.repeat(8));
  const sum = blocks.subarray(0, 512).reduce((a, b) => a + b, 0);
  text(148, `${sum.toString(8).padStart(6, '0')}\0 `);
  blocks.set(bytes, 512);
  return blocks;
}

/** Two blocks of zeros. */
export const END = new Uint8Array(1024);

export function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

/** A shard of members `[name, content]`. */
export function tarOf(members: readonly (readonly [name: string, content: string])[]): Uint8Array {
  return joined(...members.map(([name, content]) => member(name, content)), END);
}

/** Bytes in chunks of some size. */
export async function* inChunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.byteLength; start += size) yield bytes.subarray(start, start + size);
}
