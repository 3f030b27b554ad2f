import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { commitOf, describeMachine } from './machine.ts';

describe('describeMachine', () => {
  it('says what the machine is, and not what it is called', () => {
    const machine = describeMachine();
    expect(machine.cores).toBeGreaterThan(0);
    expect(machine.memory).toBeGreaterThan(2 ** 28);
    expect(machine.processor).not.toBe('');
    expect(machine.system).toContain(process.arch);
    expect(Object.values(machine)).not.toContain(hostname());
  });
});

describe('commitOf', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'bench-machine-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('is the commit, with a plus when sources were changed, and not when results were', async () => {
    const git = (...words: readonly string[]) =>
      execFileSync(
        'git',
        ['-C', folder, '-c', 'commit.gpgsign=false', '-c', 'user.name=a', '-c', 'user.email=a@b', ...words],
        { encoding: 'utf8' },
      );
    mkdirSync(join(folder, 'packages'));
    writeFileSync(join(folder, 'packages/a.ts'), '1');
    git('init', '--quiet');
    git('add', '.');
    git('commit', '--quiet', '--message', 'one');
    const head = git('rev-parse', 'HEAD').trim();
    expect(await commitOf(folder)).toBe(head);
    mkdirSync(join(folder, 'apps/bench/results'), { recursive: true });
    writeFileSync(join(folder, 'apps/bench/results/x.csv'), '1');
    expect(await commitOf(folder)).toBe(head);
    writeFileSync(join(folder, 'packages/a.ts'), '2');
    expect(await commitOf(folder)).toBe(`${head}+`);
  });

  it('is nothing outside of a repository', async () => {
    expect(await commitOf(folder)).toBeUndefined();
  });
});
