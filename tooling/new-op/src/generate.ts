import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type OperatorNames, operatorNames, UsageError } from './names.ts';

/** A file to write: path below the repository, and its whole content. */
export interface PlannedFile {
  readonly path: string;
  readonly content: string;
}

/** The operator that every new one begins as. It stands in this package, so that it is compiled and tested as it is. */
const template = fileURLToPath(new URL('./template', import.meta.url));

/**
 * Everything that a new operator `name` adds to or changes in the repository at `root`; writes nothing.
 *
 * @throws UsageError if the name is no good or is taken
 */
export function planOperator(root: string, name: string): PlannedFile[] {
  const names = operatorNames(name);
  for (const taken of [`packages/${name}`, `apps/${name}`, `tooling/${name}`, `.changeset/${name}.md`]) {
    if (existsSync(join(root, taken)))
      throw new UsageError(`${taken} exists: choose another name, or remove it first.`);
  }
  return [...packageFiles(names), changeset(names), layers(root, names), sizeBudget(root, names), readme(root, names)];
}

/** Writes planned files, making folders as needed. */
export async function writePlan(root: string, plan: readonly PlannedFile[]): Promise<void> {
  for (const { path, content } of plan) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content);
  }
}

function packageFiles(names: OperatorNames): PlannedFile[] {
  return readdirSync(template, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .map((file) => ({
      path: `packages/${names.kebab}/${renamed(relative(template, file).replaceAll('\\', '/'), names)}`,
      content: renamed(readFileSync(file, 'utf8'), names),
    }));
}

function renamed(text: string, { kebab, camel, pascal }: OperatorNames): string {
  return text.replaceAll('template-op', kebab).replaceAll('templateOp', camel).replaceAll('TemplateOp', pascal);
}

function changeset({ kebab, pascal }: OperatorNames): PlannedFile {
  const content = `---\n"@saccade/${kebab}": minor\n---\n\nFirst release of ${pascal}, a new operator.\n`;
  return { path: `.changeset/${kebab}.md`, content };
}

/** The new operator stands beside the others: on their floor, and with its README example run by the consumer check. */
function layers(root: string, { kebab }: OperatorNames): PlannedFile {
  const path = 'tooling/check/layers.json';
  const data = readJson<{ floors: string[][]; operators: string[] }>(root, path);
  const floor = data.floors.find((names) => names.some((name) => data.operators.includes(name)));
  if (!floor) throw new Error(`${path} has no floor with an operator on it.`);
  floor.push(kebab);
  data.operators.push(kebab);
  return { path, content: `${JSON.stringify(data, null, 2)}\n` };
}

function sizeBudget(root: string, { kebab, pascal }: OperatorNames): PlannedFile {
  const path = 'tooling/check/.size-limit.json';
  const budget = {
    name: `${kebab} ${pascal}SelfAttention`,
    path: `../../packages/${kebab}/dist/index.js`,
    import: `{ ${pascal}SelfAttention }`,
    ignore: ['@tensorflow/*', 'webgpu'],
    gzip: true,
    limit: '12 kB',
  };
  return { path, content: `${JSON.stringify([...readJson<unknown[]>(root, path), budget], null, 2)}\n` };
}

/** A row in the README's table of packages, below the last one. */
function readme(root: string, { kebab }: OperatorNames): PlannedFile {
  const path = 'README.md';
  const lines = readFileSync(join(root, path), 'utf8').split('\n');
  const last = lines.findLastIndex((line) => line.startsWith('| [`@saccade/'));
  if (last < 0) throw new Error(`${path} has no table with rows that begin with "| [\`@saccade/".`);
  lines.splice(last + 1, 0, `| [\`@saccade/${kebab}\`](packages/${kebab}) | a new operator |`);
  return { path, content: lines.join('\n') };
}

function readJson<T>(root: string, path: string): T {
  return JSON.parse(readFileSync(join(root, path), 'utf8')) as T;
}
