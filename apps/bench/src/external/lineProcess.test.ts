import { describe, expect, it } from 'vitest';
import { LineProcess } from './lineProcess.node.ts';
import { findPython, pythonCandidates } from './python.node.ts';

/** A program of Node that says it is ready and then runs `answer` for each line. */
const program = (answer: string) =>
  new LineProcess({
    program: process.execPath,
    args: [
      '--eval',
      `console.log('"ready"'); require('readline').createInterface({ input: process.stdin }).on('line', (line) => { ${answer} });`,
    ],
  });

describe('a program that answers lines', () => {
  it('gives answers in the order of the questions', async () => {
    const child = program('console.log(line)');
    expect(await Promise.all([child.ask({ a: 1 }), child.ask([2]), child.ask('drei')])).toEqual([
      { a: 1 },
      [2],
      'drei',
    ]);
    await child.close();
    await child.close();
  });

  it('throws what the program answers as its error, and goes on', async () => {
    const child = program('console.log(line === "1" ? \'{"error": "no such thing"}\' : line)');
    await expect(child.ask(1)).rejects.toThrow('no such thing');
    expect(await child.ask(2)).toBe(2);
    await child.close();
  });

  it('throws what it said at last when it ends', async () => {
    const child = program('process.stderr.write("out of luck"); process.exitCode = 3; process.stdin.destroy()');
    await expect(child.ask(1)).rejects.toThrow(/ended \(3\): out of luck/);
    await expect(child.ask(2)).rejects.toThrow(/out of luck/);
  });

  it('throws for a program that does not start or speaks otherwise', async () => {
    await expect(new LineProcess({ program: '/no/such/program', args: [] }).ask(1)).rejects.toThrow(/does not start/);
    const child = program('console.log("<html>")');
    await expect(child.ask(1)).rejects.toThrow(/something else than JSON: <html>/);
    await child.close();
  });
});

describe('a Python', () => {
  it('is that of the environment first', () => {
    expect(pythonCandidates({ SACCADE_PYTHON: '/opt/python' })[0]).toBe('/opt/python');
    expect(pythonCandidates({})).toEqual(['python3', '/usr/bin/python3']);
  });

  it('is none without the packages', async () => {
    expect(await findPython(['no-such-package-of-python'])).toBeUndefined();
    expect(await findPython([], ['/no/such/python'])).toBeUndefined();
  });
});
