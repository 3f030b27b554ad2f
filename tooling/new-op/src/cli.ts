/** `pnpm new:op NAME`: a new operator's package, compiling, tested and documented, with example mathematics to replace. */
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { x } from 'tinyexec';
import { planOperator, writePlan } from './generate.ts';
import { UsageError } from './names.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));

const program = new Command('new:op')
  .description("Create an operator's package: packages/NAME, a changeset, a size budget, its place among the layers.")
  .argument('<name>', 'kebab-case, such as dg-attention')
  .option('--dry-run', 'only list the files')
  .action(async (name: string, { dryRun }: { dryRun?: boolean }) => {
    const plan = planOperator(root, name);
    console.log(plan.map(({ path }) => `  ${path}`).join('\n'));
    if (dryRun) return;
    await writePlan(root, plan);
    await format(plan.map(({ path }) => path));
    console.log(`
packages/${name} computes plain attention. Next:

  pnpm install                      link it
  pnpm vitest run packages/${name}  its tests pass as they are
  pnpm check                        so do the checks

Then replace the mathematics; CONTRIBUTING.md, "Adding an operator", says in which order.`);
  });

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}

/** Names differ in length and alphabetical order, and so does what the formatter makes of them. */
async function format(paths: readonly string[]): Promise<void> {
  const formatted = paths.filter((path) => /\.(ts|json)$/.test(path));
  const result = await x('biome', ['check', '--write', ...formatted], { nodeOptions: { cwd: root } });
  if (result.exitCode !== 0) throw new Error(`biome failed:\n${result.stdout}${result.stderr}`);
}
