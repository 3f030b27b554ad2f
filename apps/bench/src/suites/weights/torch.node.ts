import { fileURLToPath } from 'node:url';
import type { Absent, OwnTiming } from '../../core/comparison.ts';
import { LineProcess, type LineProgram } from '../../external/lineProcess.node.ts';
import { pythonCandidates } from '../../external/python.node.ts';
import { findTorchPython } from '../../peers/torchPython.node.ts';

/** A Python with PyTorch. */
export interface Torch {
  /** `PyTorch 1.13.0` */
  readonly engine: string;
  readonly program: LineProgram;
}

/** What loadWeights.py and fresh.program.ts say of loading. */
export interface LoadTiming extends OwnTiming {
  readonly peakBytes: number;
  /** the most memory that the process had before it loaded */
  readonly bytesBefore: number;
}

/** PyTorch, or why it is not here. */
export async function findTorch(
  candidates: readonly string[] = pythonCandidates(),
): Promise<{ readonly torch?: Torch; readonly absent: readonly Absent[] }> {
  try {
    const { program, version } = await findTorchPython(candidates);
    const script = fileURLToPath(new URL('loadWeights.py', import.meta.url));
    return { torch: { engine: `PyTorch ${version}`, program: { program, args: [script] } }, absent: [] };
  } catch (error) {
    return { absent: [{ name: 'PyTorch', reason: error instanceof Error ? error.message : String(error) }] };
  }
}

/** Saves files again as PyTorch writes them: so that all read a file of its own making. */
export async function rewriteByTorch(torch: Torch, path: string): Promise<void> {
  const process = new LineProcess(torch.program);
  try {
    await process.ask({ do: 'rewrite', path });
  } finally {
    await process.close();
  }
}
