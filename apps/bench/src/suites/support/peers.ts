import type { Absent, Bench, Contender, PeerTask, PeerWork } from '../../core/comparison.ts';
import type { CheckResult, WorkCost } from '../../core/row.ts';

/** Peers that took a task, as contenders, and those that did not. */
export interface AskedPeers {
  readonly contenders: readonly Contender[];
  readonly absent: readonly Absent[];
  dispose(): Promise<void>;
}

/**
 * Their exponentials are not ours, and some sum in other orders: float32 to four digits, where a wrong scale, head or
 * transposition is off by the largest value itself.
 */
export const PEER_TOLERANCE = 1e-4;

/** Asks every peer of the bench for the work. One that throws when it is asked is absent with its message. */
export async function askPeers(
  bench: Bench,
  task: PeerTask,
  { check, cost }: { check(result: Float32Array): Promise<CheckResult>; readonly cost: WorkCost },
): Promise<AskedPeers> {
  const [contenders, works]: [Contender[], PeerWork[]] = [[], []];
  const absent: Absent[] = [...bench.absentPeers];
  for (const peer of bench.peers) {
    try {
      const work = await peer.prepare(task);
      if ('reason' in work) {
        absent.push(work);
        continue;
      }
      works.push(work);
      contenders.push({
        name: peer.name,
        role: 'peer',
        engine: work.engine,
        run: () => work.run(),
        check: async () => await check(await work.result()),
        cost,
      });
    } catch (error) {
      absent.push({ name: peer.name, reason: error instanceof Error ? error.message : String(error) });
    }
  }
  return {
    contenders,
    absent,
    async dispose() {
      for (const work of works) await work.dispose();
    },
  };
}
