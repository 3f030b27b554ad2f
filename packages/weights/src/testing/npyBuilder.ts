import { latin1 } from './bytes.ts';
import { joined } from './zipBuilder.ts';

/** An array file: a header, truthful about its own length, and data (zeros, if only their number is given). */
export function npyOf(header: string | Uint8Array, data: Uint8Array | number, major = 1, minor = 0): Uint8Array {
  const text = typeof header === 'string' ? new TextEncoder().encode(header) : header;
  const length = major === 1 ? [text.length, text.length >> 8] : [text.length, text.length >> 8, text.length >> 16, 0];
  const body = typeof data === 'number' ? new Uint8Array(data) : data;
  return joined(latin1('\x93NUMPY'), Uint8Array.of(major, minor, ...length), text, body);
}

/** The usual header. */
export const npyHeader = (descr: string, shape: string, fortran = 'False'): string =>
  `{'descr': '${descr}', 'fortran_order': ${fortran}, 'shape': ${shape}, }\n`;
