import { expectClose } from '@saccade/vitest-preset';
import { afterAll, describe, expect, it } from 'vitest';
import type { Absent, Peer, PeerWork } from '../../core/comparison.ts';
import { type Question, questions, TASK_KINDS, type TaskKind } from './peerQuestions.ts';

/**
 * What every peer must do: the same numbers as loops in float64 for single operations, our logits for networks, and a
 * reason for what it does not do.
 *
 * A peer that is not there is skipped aloud, with its reason: it is optional.
 */
export function describePeer(
  title: string,
  found: Peer | Absent | undefined,
  takes: readonly TaskKind[] = TASK_KINDS,
): void {
  if (found === undefined || !('prepare' in found)) {
    const reason = found?.reason ?? 'nobody expects it here';
    console.warn(`SKIPPED: ${title}: ${reason}`);
    describe.skip(`${title} [absent: ${reason}]`, () => it('is not there', () => undefined));
    return;
  }
  describe(title, () => {
    afterAll(() => found.dispose());
    for (const kind of TASK_KINDS) {
      if (takes.includes(kind)) {
        it(`computes ${kind}`, async () => {
          for (const question of await questions(kind)) await expectAnswer(found, question);
        });
      } else {
        it(`says why it does not compute ${kind}`, async () => {
          const [{ task }] = (await questions(kind)) as [Question];
          const refused = await found.prepare(task);
          expect(refused).toMatchObject({ name: found.name, reason: expect.stringMatching(/\w+ \w+/) });
        });
      }
    }
  });
}

async function expectAnswer(peer: Peer, { task, expected, tolerance }: Question): Promise<void> {
  const work = await peer.prepare(task);
  if ('reason' in work) expect.fail(`${peer.name} does not take it: ${work.reason}`);
  try {
    // More than once: what a run uses up must be there for the next one.
    for (let i = 0; i < 2; i++) expectTiming(await work.run());
    await expectClose(await work.result(), expected, { tolerance });
    expectTiming(await work.run());
    await expectClose(await work.result(), expected, { tolerance });
    expect(work.engine).toMatch(/\d+\.\d+/);
  } finally {
    await work.dispose();
  }
}

function expectTiming(own: Awaited<ReturnType<PeerWork['run']>>): void {
  if (own === undefined) return;
  expect(own.wallMs).toBeGreaterThan(0);
  if (own.cpuMs !== undefined) expect(own.cpuMs).toBeGreaterThanOrEqual(0);
}
