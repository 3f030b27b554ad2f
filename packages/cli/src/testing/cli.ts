import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { type StateTensor, serializeSafetensors } from '@saccade/weights';
import { runCli } from '../run.ts';

/** What a command wrote, and the code that it ended with. */
export interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs `saccade` with these arguments in this process. */
export async function saccade(args: readonly string[], signal = new AbortController().signal): Promise<Outcome> {
  const [stdout, stderr] = [new Collector(), new Collector()];
  const code = await runCli(args, { stdout, stderr, signal });
  return { code, out: stdout.text, err: stderr.text };
}

/** A stream that keeps what is written to it. */
export class Collector extends Writable {
  text = '';

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

/** A folder that goes away at the end of its scope. */
export class Folder implements AsyncDisposable {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  static async make(): Promise<Folder> {
    return new Folder(await mkdtemp(join(tmpdir(), 'saccade-cli-')));
  }

  /** The path of a file in it, with this content if given. */
  async file(name: string, content?: Uint8Array): Promise<string> {
    const path = join(this.path, name);
    if (content) await writeFile(path, content);
    return path;
  }

  /** A safetensors file of these tensors. */
  async tensors(
    name: string,
    tensors: Record<string, StateTensor>,
    metadata?: Record<string, string>,
  ): Promise<string> {
    return await this.file(name, serializeSafetensors(tensors, metadata));
  }

  async names(): Promise<string[]> {
    return (await readdir(this.path)).sort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.path, { recursive: true });
  }
}

/** float32, of one axis. */
export function floats(...values: number[]): StateTensor {
  return { dtype: 'float32', shape: [values.length], data: Float32Array.from(values) };
}
