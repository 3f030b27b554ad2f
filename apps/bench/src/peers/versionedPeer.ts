import type { Absent, Peer, SuitePlace } from '../core/comparison.ts';

/** A peer that was found, with what stands for it in the header of a run. */
export interface VersionedPeer extends Peer {
  /** name and version of the library: `['PyTorch', '2.4.0']` */
  readonly library: readonly [name: string, version: string];
}

/**
 * Looks for a peer: it is there, or why it is not; undefined where nobody expects it, on another backend. Never throws.
 * Looking must not cost much: what is expensive waits until the peer is asked for work.
 */
export type PeerFactory = (place: SuitePlace) => Promise<VersionedPeer | Absent | undefined>;

/** Peers of a place. */
export interface DetectedPeers {
  readonly peers: Peer[];
  /** why the others are not there */
  readonly absent: Absent[];
  /** of each library that is there */
  readonly versions: Record<string, string>;
}

/** Looks for all of them at once. */
export async function findAll(place: SuitePlace, factories: readonly PeerFactory[]): Promise<DetectedPeers> {
  const found = await Promise.all(factories.map((factory) => factory(place)));
  const expected = found.filter((one) => one !== undefined);
  const peers = expected.filter((one): one is VersionedPeer => 'prepare' in one);
  return {
    peers,
    absent: expected.filter((one): one is Absent => !('prepare' in one)),
    versions: Object.fromEntries(peers.map(({ library }) => library)),
  };
}

/** The absence of whoever threw. */
export function absentFor(name: string, error: unknown): Absent {
  return { name, reason: error instanceof Error ? error.message : String(error) };
}

/** A GPU that is a driver on the processor: its times would say nothing of a GPU. */
export function skippedOnSoftware(name: string): Absent {
  return { name, status: 'skipped', reason: 'the driver is software: times would say nothing of a GPU' };
}
