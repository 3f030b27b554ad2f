import { readFile, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { LineProcess } from '../external/lineProcess.node.ts';
import { type WorkFolder, workFolder } from '../external/workFolder.node.ts';

/** What {@link TorchProcess} starts. */
export interface TorchProgram {
  /** path of a Python with PyTorch */
  readonly program: string;
  readonly threads: number;
  /** milliseconds that an answer may take until the process counts as hung */
  readonly patienceMs: number;
}

const SCRIPT = fileURLToPath(new URL('./torchPeer.py', import.meta.url));

/**
 * A Python that runs torchPeer.py, and the folder through which numbers go to it and back.
 *
 * The process ends with its input, and takes the folder along: also if this one is killed, nothing is left behind.
 */
export class TorchProcess {
  readonly #lines: LineProcess;
  readonly #folder: WorkFolder;
  readonly #patienceMs: number;
  #files = 0;
  #hung: Error | undefined;

  static async start(program: TorchProgram): Promise<TorchProcess> {
    return new TorchProcess(program, await workFolder());
  }

  private constructor({ program, threads, patienceMs }: TorchProgram, folder: WorkFolder) {
    this.#folder = folder;
    this.#patienceMs = patienceMs;
    this.#lines = new LineProcess({ program, args: [SCRIPT, this.folder, String(threads)] });
  }

  /** path of the folder */
  get folder(): string {
    return this.#folder.path('');
  }

  /** Why it can no longer be asked. */
  get ended(): Error | undefined {
    return this.#hung ?? this.#lines.ended;
  }

  /**
   * The answer to one request.
   *
   * @throws what PyTorch complains of; that the process died, with its last words; that it took longer than its patience,
   *   and was ended
   */
  async ask<T>(request: { readonly do: string; readonly [key: string]: unknown }): Promise<T> {
    if (this.ended !== undefined) throw this.ended;
    const asked = this.#lines.ask<T>(request);
    const late = timeout(this.#patienceMs);
    try {
      const answer = await Promise.race([asked, late.promise]);
      if (answer !== LATE) return answer;
    } finally {
      late.cancel();
    }
    // It will be rejected when the process ends, and nobody waits for it.
    asked.catch(() => undefined);
    this.#hung = new Error(`PyTorch did not answer "${request.do}" in ${this.#patienceMs / 1000} s, and was ended`);
    await this.close();
    throw this.#hung;
  }

  /** Puts a file into the folder; its name. */
  async write(bytes: Uint8Array): Promise<string> {
    const name = `${this.#files++}.bin`;
    await writeFile(this.#folder.path(name), bytes);
    return name;
  }

  /** Numbers for the process; the name of their file. */
  writeNumbers({ buffer, byteOffset, byteLength }: Float32Array): Promise<string> {
    return this.write(new Uint8Array(buffer, byteOffset, byteLength));
  }

  /** Numbers that the process was asked to write into a file of its own choice of bytes. */
  async readNumbers(ask: (file: string) => Promise<unknown>): Promise<Float32Array> {
    const name = `${this.#files++}.bin`;
    await ask(name);
    const { buffer, byteOffset, byteLength } = await readFile(this.#folder.path(name));
    await this.remove(name);
    return new Float32Array(buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer);
  }

  async remove(name: string): Promise<void> {
    await rm(this.#folder.path(name), { force: true });
  }

  /** Ends the process and removes the folder. */
  async close(): Promise<void> {
    await this.#lines.close();
    await this.#folder.remove();
  }
}

const LATE = Symbol('late');

function timeout(milliseconds: number): { promise: Promise<typeof LATE>; cancel(): void } {
  let timer: NodeJS.Timeout | undefined;
  const promise = new Promise<typeof LATE>((resolve) => {
    timer = setTimeout(() => resolve(LATE), milliseconds);
  });
  return { promise, cancel: () => clearTimeout(timer) };
}
