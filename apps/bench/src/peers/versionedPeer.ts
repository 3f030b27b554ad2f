import type { Absent, Peer } from '../core/comparison.ts';

/** A peer that was found, with what stands for it in the header of a run. */
export interface VersionedPeer extends Peer {
  /** name and version of the library: `['PyTorch', '2.4.0']` */
  readonly library: readonly [name: string, version: string];
}

/** Something that may be a peer here. Looking must not cost much: what is expensive waits until it is asked for work. */
export interface Candidate {
  /** the peer's name, also if it is absent */
  readonly name: string;
  find(): Promise<VersionedPeer | Absent>;
}

/** Peers of a place. */
export interface DetectedPeers {
  readonly peers: Peer[];
  /** why the others are not there */
  readonly absent: Absent[];
  /** of each library that is there */
  readonly versions: Record<string, string>;
}

/** Looks for all of them at once. One that fails in any way is absent, for that reason. */
export async function findAll(candidates: readonly Candidate[]): Promise<DetectedPeers> {
  const found = await Promise.all(candidates.map(findOne));
  const peers = found.filter((one) => 'prepare' in one);
  return {
    peers,
    absent: found.filter((one) => !('prepare' in one)),
    versions: Object.fromEntries(peers.map(({ library }) => library)),
  };
}

async function findOne({ name, find }: Candidate): Promise<VersionedPeer | Absent> {
  try {
    return await find();
  } catch (error) {
    return absentFor(name, error);
  }
}

/** The absence of whoever threw. */
export function absentFor(name: string, error: unknown): Absent {
  return { name, reason: error instanceof Error ? error.message : String(error) };
}
