// What the tests of peers run inside the browser.
import { compareValues } from '../../core/check.ts';
import type { CheckResult } from '../../core/row.ts';
import { detectPeers } from '../index.ts';
import { jaxPeer } from '../jax.ts';
import { questions, type TaskKind } from './peerQuestions.ts';

const PLACE = { home: 'browser', backend: 'wasm', softwareGpu: false, scale: 'quick' } as const;

/** jax-js on all questions of a kind. */
export async function jaxAnswers(kind: TaskKind): Promise<{ engine: string; check: CheckResult }[]> {
  const peer = await jaxPeer(PLACE);
  if (peer === undefined || !('prepare' in peer)) throw new Error(`jax-js is absent: ${peer?.reason}`);
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

export async function versions(): Promise<Record<string, string>> {
  return (await detectPeers(PLACE)).versions;
}
