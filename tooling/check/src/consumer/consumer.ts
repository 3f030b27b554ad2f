import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Packed, runtimeDependencies } from '@saccade/release';
import { CheckFailure } from '../runner.ts';
import { shell } from '../shell.ts';
import { bundleExample } from './bundle.ts';
import { firstExample } from './readme.ts';

/** Milliseconds that an example may take. */
const TIMEOUT = 120_000;

const COMPILER_OPTIONS = {
  strict: true,
  target: 'ES2022',
  lib: ['ES2022', 'DOM'],
  module: 'ESNext',
  moduleResolution: 'bundler',
  types: [],
  // The declarations of tfjs 4.22 bring a WebGPU of their own, which quarrels with the one in newer DOM libraries.
  skipLibCheck: true,
  outDir: 'out',
};

/**
 * Does what a newcomer does with the README of `name`, in an empty project outside the workspace: installs what its
 * `npm install` line says (our packages from the tarballs that would be published, the rest from the registry), compiles the
 * first example with `tsc --strict`, runs it in Node, bundles it for browsers, and runs the bundle as well.
 *
 * @param projects empty folder for the project
 * @param toolRoot folder with `tsc` in its `node_modules/.bin`
 */
export async function checkConsumer(
  name: string,
  packed: readonly Packed[],
  projects: string,
  toolRoot: string,
): Promise<string> {
  const subject = find(packed, name);
  const example = firstExample(await readFile(join(subject.member.dir, 'README.md'), 'utf8'));
  const cwd = join(projects, name.replace('/', '+'));
  await mkdir(cwd, { recursive: true });
  await writeFile(join(cwd, 'package.json'), JSON.stringify({ name: 'consumer', private: true, type: 'module' }));
  await writeFile(
    join(cwd, 'tsconfig.json'),
    JSON.stringify({ compilerOptions: COMPILER_OPTIONS, files: ['example.ts'] }),
  );
  await writeFile(join(cwd, 'example.ts'), example.code);

  await install(example.install, packed, cwd);
  await shell(join(toolRoot, 'node_modules/.bin/tsc'), ['-p', cwd], { cwd });
  const output = await shell('node', ['out/example.js'], { cwd, timeout: TIMEOUT });
  const whole = await bundleExample(cwd, 'bundle', []);
  const withoutTfjs = await bundleExample(cwd, 'bundle-without-tfjs', [/^@tensorflow\//]);
  // A bundler that takes a registration for dead code leaves a bundle that builds and then fails.
  const bundledOutput = await shell('node', [withoutTfjs.entry], { cwd, timeout: TIMEOUT });
  if (bundledOutput !== output) {
    throw new CheckFailure(`In Node the example prints\n${output}\nbut its bundle prints\n${bundledOutput}`);
  }
  const sizes = `${kilobytes(whole.bytes)} kB gzip, ${kilobytes(withoutTfjs.bytes)} kB without tfjs`;
  return [`compiled strictly, ran in Node, bundled with Vite (${sizes})`, ...indented(output)].join('\n');
}

/** Our packages come with all of ours that they need: until the first release the registry has none of them. */
async function install(names: readonly string[], packed: readonly Packed[], cwd: string): Promise<void> {
  const ours = new Set<Packed>();
  const add = (name: string) => {
    const one = find(packed, name);
    if (ours.has(one)) return;
    ours.add(one);
    for (const dependency of runtimeDependencies(one.manifest)) if (isOurs(dependency)) add(dependency);
  };
  for (const name of names) if (isOurs(name)) add(name);
  const others = names.filter((name) => !isOurs(name));
  await shell('npm', ['install', '--no-audit', '--no-fund', ...[...ours].map((p) => p.file), ...others], { cwd });
  // npm says here, by its exit code, whether a peer is missing or a version does not fit.
  await shell('npm', ['ls', '--all'], { cwd });
}

function find(packed: readonly Packed[], name: string): Packed {
  const one = packed.find((p) => p.manifest.name === name);
  if (!one) throw new CheckFailure(`${name} is not among the packages that are published.`);
  return one;
}

const isOurs = (name: string) => name.startsWith('@saccade/');
const indented = (text: string) =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => `> ${line}`);
const kilobytes = (bytes: number) => (bytes / 1000).toFixed(1);
