import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SlopeLine } from '../core/run.ts';
import { anyRun, DEVICE, HEADER, row, runOf, untimed } from '../node/testing/runs.ts';
import { parseRun } from './parseRun.ts';
import { RunFileError } from './RunFileError.ts';

const SLOPE: SlopeLine = {
  kind: 'slope',
  suite: 'operators',
  backend: 'wasm',
  softwareGpu: false,
  contender: 'fused',
  parameters: { headDim: 64 },
  quantity: 'wallMs',
  slope: 1.98,
  tokens: [784, 1568, 3136],
};

const RUN = runOf(row(), untimed({ comparison: 'other' }), SLOPE);

const textOf = (lines: readonly unknown[]) => lines.map((line) => `${JSON.stringify(line)}\n`).join('');

/** What is said of a run whose third line is this. */
const complaint = (line: unknown) => {
  const text = textOf([HEADER, DEVICE, line]);
  let message = '';
  try {
    parseRun(text, 'x.jsonl');
  } catch (error) {
    expect(error).toBeInstanceOf(RunFileError);
    message = (error as Error).message;
  }
  return message;
};

describe('parseRun', () => {
  it('gives back every line that a run writes', () => {
    expect(parseRun(textOf(RUN), 'x')).toEqual(RUN);
    fc.assert(fc.property(anyRun, (run) => void expect(parseRun(textOf(run), 'x')).toEqual(run)));
  });

  it('drops fields that it does not know, and takes other line ends and empty lines', () => {
    const text = textOf([HEADER, { ...row(), script: '<script>' }]).replaceAll('\n', '\r\n\r\n');
    expect(parseRun(text, 'x')).toEqual([HEADER, row()]);
  });

  it('names the file, the line and the field that is not as it should be', () => {
    expect(complaint({ ...row(), backend: 3 })).toBe('x.jsonl, line 3, backend: expected string, got 3');
    expect(complaint({ ...row(), timeRatio: { value: 1, interval: [1] } })).toMatch(
      /^x\.jsonl, line 3, timeRatio\.interval\.1: expected .*, got undefined$/,
    );
    expect(complaint({ ...row(), timeRatio: { value: 1, interval: [2, 1] } })).toBe(
      'x.jsonl, line 3, timeRatio.interval: the lower end is above the upper one',
    );
    expect(complaint({ ...row(), parameters: { tokens: null } })).toMatch(/line 3, parameters\.tokens: /);
    expect(complaint({ ...row(), peakTensorBytes: -1 })).toBe('x.jsonl, line 3, peakTensorBytes: expected >=0, got -1');
    expect(complaint({ ...row(), kind: 'rows' })).toMatch(/line 3, kind: expected .*"row".*, got "rows"/);
    expect(complaint([1])).toMatch(/^x\.jsonl, line 3/);
    expect(complaint('a'.repeat(2 ** 20))).toBe('x.jsonl, line 3: expected at most 1048576 characters, got 1048578');
  });

  it('refuses a time for what was not right', () => {
    expect(complaint({ ...row(), status: 'wrong' })).toBe('x.jsonl, line 3, status: only what was measured has times');
    expect(complaint(untimed({ status: 'wrong' }))).toBe('');
  });

  it('wants one header, first, of a schema that it knows', () => {
    expect(() => parseRun('', 'x')).toThrow('x: expected a line of the kind "run" first, got an empty file');
    expect(() => parseRun(textOf([row()]), 'x')).toThrow('first, got row');
    expect(() => parseRun(textOf([HEADER, HEADER]), 'x')).toThrow('expected one run, got 2');
    expect(() => parseRun(textOf([{ ...HEADER, schema: 2 }]), 'x')).toThrow('x, line 1, schema: expected 1, got 2');
  });

  it('says what to do about half a line at the end, and what is expected of other files', () => {
    expect(() => parseRun(textOf(RUN).slice(0, -20), 'x')).toThrow(/x, line 5: expected JSON, .*; the run was killed/);
    expect(() => parseRun('suite,comparison\n', 'x.csv')).toThrow(
      /^x\.csv, line 1: expected JSON, as pnpm bench writes it: (?!.*killed)/,
    );
  });

  it('does not split a file of line breaks into millions of lines', () => {
    expect(() => parseRun('\n'.repeat(1_000_000), 'x')).toThrow('expected at most 200000 lines');
  });

  it('meets anything else with an error of its own class', () => {
    const anything = fc.oneof(
      fc.string(),
      fc.json(),
      fc.jsonValue().map((value) => textOf([value])),
      // A run with one of its values replaced.
      fc.tuple(fc.nat(), fc.jsonValue()).map(([at, value]) => textOf(RUN.map((line) => replaced(line, at, value)))),
      // A run with some of its text gone.
      fc.tuple(fc.nat(), fc.nat({ max: 40 })).map(([at, length]) => {
        const text = textOf(RUN);
        const from = at % text.length;
        return text.slice(0, from) + text.slice(from + length);
      }),
    );
    fc.assert(
      fc.property(anything, (text) => {
        try {
          const lines = parseRun(text, 'x');
          expect(lines[0]?.kind).toBe('run');
        } catch (error) {
          expect(error).toBeInstanceOf(RunFileError);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('does not let a file touch prototypes', () => {
    const evil = JSON.stringify(row()).replace(
      '"tokens":784',
      '"__proto__":{"polluted":1},"constructor":1,"tokens":784',
    );
    try {
      parseRun(`${JSON.stringify(HEADER)}\n${evil}`, 'x');
    } catch (error) {
      expect(error).toBeInstanceOf(RunFileError);
    }
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });
});

/** A line with one of its fields, at any depth, replaced. */
function replaced(line: object, at: number, value: unknown): unknown {
  const keys = Object.keys(line);
  const key = keys[at % keys.length] as keyof typeof line;
  const child = line[key] as unknown;
  const deeper = typeof child === 'object' && child !== null && !Array.isArray(child) && at % 3 === 0;
  return { ...line, [key]: deeper ? replaced(child, Math.floor(at / 3), value) : value };
}
