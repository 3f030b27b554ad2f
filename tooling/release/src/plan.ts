import getReleasePlan from '@changesets/get-release-plan';

/** The version each package gets when the pending changesets are applied. Packages without a change are not in the map. */
export async function nextVersions(root: string): Promise<Map<string, string>> {
  const plan = await getReleasePlan(root);
  return new Map(plan.releases.filter((r) => r.type !== 'none').map((r) => [r.name, r.newVersion]));
}
