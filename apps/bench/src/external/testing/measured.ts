import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, expect } from 'vitest';
import type { Bench, Comparison } from '../../core/comparison.ts';
import { measureComparison } from '../../core/measure.ts';
import { MEASURE } from '../../core/measureOptions.ts';
import type { Row } from '../../core/row.ts';
import type { OpenedBench } from '../../device/createBench.ts';
import { openBench } from '../../device/openBench.node.ts';

/** Opens wasm for the tests of a file. */
export function withBench(): () => Bench {
  let opened: OpenedBench | undefined;
  beforeAll(async () => {
    opened = await openBench({ home: 'node', backend: 'wasm', softwareGpu: false, scale: 'quick' });
  });
  afterAll(() => opened?.dispose());
  return () => (opened as OpenedBench).bench;
}

/** Few samples: that it works, not how fast. */
const FEW = { ...MEASURE.quick, samples: 2, mostSamples: 2, steadyMs: 0, shortestSampleMs: 0, budgetMs: 60_000 };

/** The rows of a comparison by the names of their contenders; fails if it leaves files behind. */
export async function measured(comparison: Comparison, bench: Bench): Promise<ReadonlyMap<string, Row>> {
  const before = await workFolders();
  const rows = await measureComparison(comparison, { bench, options: FEW });
  // Other tests run beside this one and have folders of their own: those of this process carry its number.
  expect(await workFolders()).toEqual(before);
  return new Map(rows.map((row) => [row.contender, row]));
}

async function workFolders(): Promise<string[]> {
  return (await readdir(tmpdir())).filter((name) => name.startsWith(`saccade-bench-${process.pid}-`));
}
