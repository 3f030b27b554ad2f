import type { GroupRouting } from '@saccade/tensor-ops';

/** How the queries of one head are spread over its groups. */
export interface GroupUsage {
  /** queries of each group */
  readonly sizes: readonly number[];
  /** groups without a query: dead, if it stays so through training */
  readonly empty: number;
  /** of the sizes, in nats: from 0 (one group has all) to ln G (all are equal); 0 without queries */
  readonly entropy: number;
  /** `exp(entropy)`: so many groups of equal size would have this entropy */
  readonly effectiveGroups: number;
}

/** Usage of one head from the sizes of its groups. */
export function usageOfSizes(counts: ArrayLike<number>): GroupUsage {
  const sizes = Array.from(counts);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const entropy = sizes.reduce((sum, size) => (size === 0 ? sum : sum - (size / total) * Math.log(size / total)), 0);
  return { sizes, empty: sizes.filter((size) => size === 0).length, entropy, effectiveGroups: Math.exp(entropy) };
}

/** Usage of each head, over all samples of a batch. Waits for the device. */
export async function groupUsage({ assignment, keys }: GroupRouting): Promise<GroupUsage[]> {
  const [batch, heads, queries] = assignment.shape;
  const groups = keys.shape[2];
  const counts = Array.from({ length: heads }, () => new Array<number>(groups).fill(0));
  (await assignment.data()).forEach((group, i) => {
    const head = counts[Math.floor(i / queries) % heads] as number[];
    (head[group] as number) += 1;
  });
  return batch * queries === 0 ? [] : counts.map(usageOfSizes);
}
