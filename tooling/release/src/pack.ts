import { readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { list } from 'tar';
import { x } from 'tinyexec';
import { inPublishOrder, type Manifest, type Member, readMembers } from './workspace.ts';

/** What one tarball holds. Paths are relative to the package root. */
export interface Packed {
  readonly member: Member;
  /** Absolute path of the `.tgz`. */
  readonly file: string;
  /** Size of the `.tgz` in bytes. */
  readonly bytes: number;
  readonly paths: readonly string[];
  /** The manifest inside the tarball, where pnpm has replaced `workspace:` and `catalog:` by versions. */
  readonly manifest: Manifest;
}

/** Packs every publishable package of the workspace into `destination`, dependencies first. Expects a finished build. */
export async function packAll(root: string, destination: string): Promise<Packed[]> {
  await mkdir(destination, { recursive: true });
  const packed: Packed[] = [];
  for (const member of inPublishOrder(readMembers(root))) packed.push(await pack(member, destination));
  return packed;
}

async function pack(member: Member, destination: string): Promise<Packed> {
  const args = ['pack', '--json', '--pack-destination', destination];
  const result = await x('pnpm', args, { nodeOptions: { cwd: member.dir } });
  if (result.exitCode !== 0) {
    throw new Error(`pnpm pack failed for ${member.manifest.name}:\n${result.stdout}${result.stderr}`);
  }
  const { filename } = JSON.parse(result.stdout) as { filename: string };
  return { member, file: filename, bytes: readFileSync(filename).byteLength, ...(await readTarball(filename)) };
}

async function readTarball(file: string): Promise<Pick<Packed, 'paths' | 'manifest'>> {
  const paths: string[] = [];
  const manifestChunks: Buffer[] = [];
  await list({
    file,
    onReadEntry: (entry) => {
      // Every npm tarball wraps its content in one folder, by custom `package/`.
      const path = entry.path.replace(/^[^/]+\//, '');
      paths.push(path);
      if (path === 'package.json' && dirname(entry.path) !== '.') {
        entry.on('data', (chunk: Buffer) => manifestChunks.push(chunk));
      }
    },
  });
  return { paths: paths.sort(), manifest: JSON.parse(Buffer.concat(manifestChunks).toString('utf8')) as Manifest };
}
