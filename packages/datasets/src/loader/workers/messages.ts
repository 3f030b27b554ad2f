import { DatasetError, type DatasetErrorCode } from '../../errors.ts';
import type { BatchRequest, Reading } from '../reading.ts';

/** What a worker is started with. */
export interface WorkerStart {
  readonly module: string;
  readonly options: unknown;
}

/** To a worker. */
export type Order =
  | { readonly kind: 'read'; readonly id: number; readonly request: BatchRequest }
  | { readonly kind: 'abort'; readonly id: number };

/** From a worker. */
export type Answer =
  | { readonly kind: 'ready'; readonly length: number }
  | { readonly kind: 'unusable'; readonly error: SentError }
  | { readonly kind: 'batch'; readonly id: number; readonly reading: Reading<unknown> }
  | { readonly kind: 'failed'; readonly id: number; readonly error: SentError };

/** An error as it travels: structured cloning would lose the class and the code. */
export interface SentError {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  /** of a DatasetError */
  readonly problem?: {
    readonly code: DatasetErrorCode;
    readonly argument: string;
    readonly expected: string;
    readonly actual: string;
  };
}

export function sentError(error: unknown): SentError {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error), stack: undefined };
  const { name, message, stack } = error;
  if (!(error instanceof DatasetError)) return { name, message, stack };
  const { code, argument, expected, actual } = error;
  return { name, message, stack, problem: { code, argument, expected, actual } };
}

/**
 * The error again, on this side: a DatasetError as what it was, another one as it was called. `cause` has the worker's stack.
 */
export function receivedError({ name, message, stack, problem }: SentError): Error {
  const cause = new Error(`in a worker: ${message}`);
  if (stack !== undefined) cause.stack = stack;
  if (problem !== undefined) {
    const error = new DatasetError({ ...problem, cause });
    // With its hint, which is in the text alone.
    error.message = message;
    return error;
  }
  const error = new Error(message, { cause });
  error.name = name;
  return error;
}

/**
 * The memory of a message that can be moved instead of copied: that of the arrays in plain objects and lists, where an array is all of
 * its memory. Of a part, such as a small Buffer of Node's pool, others may need the rest.
 */
export function transferables(value: unknown, found = new Set<ArrayBuffer>(), depth = 0): Set<ArrayBuffer> {
  if (ArrayBuffer.isView(value)) {
    const { buffer } = value;
    if (buffer instanceof ArrayBuffer && value.byteLength === buffer.byteLength) found.add(buffer);
  } else if (value instanceof ArrayBuffer) {
    found.add(value);
  } else if (typeof value === 'object' && value !== null && depth < DEEPEST) {
    for (const part of Object.values(value)) transferables(part, found, depth + 1);
  }
  return found;
}

const DEEPEST = 4;
