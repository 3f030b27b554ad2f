// What the tests of onnxruntime-web run inside the browser.
import { compareValues } from '../../core/check.ts';
import type { Absent, Peer } from '../../core/comparison.ts';
import type { CheckResult } from '../../core/row.ts';
import { onnxruntimeWebGpu, onnxruntimeWebWasm } from '../onnxruntimeWeb.ts';
import { questions, type TaskKind } from './peerQuestions.ts';

const PLACE = { home: 'browser', softwareGpu: false, scale: 'quick' } as const;

/** All questions of a kind on the processor or the GPU, even if that is one in software. */
export async function answers(
  backend: 'wasm' | 'webgpu',
  kind: TaskKind,
): Promise<{ engine: string; check: CheckResult }[]> {
  const peer = present(await (backend === 'wasm' ? onnxruntimeWebWasm : onnxruntimeWebGpu)({ ...PLACE, backend }));
  const answers = [];
  for (const { task, expected, tolerance } of await questions(kind)) {
    const work = await peer.prepare(task);
    if ('reason' in work) throw new Error(work.reason);
    await work.run();
    answers.push({
      engine: work.engine,
      check: compareValues('expected', [await work.result()], [expected], tolerance),
    });
    await work.dispose();
  }
  return answers;
}

function present(peer: Peer | Absent | undefined): Peer {
  if (peer === undefined || !('prepare' in peer)) throw new Error(`onnxruntime-web is absent: ${peer?.reason}`);
  return peer;
}
