import { csvFormat } from 'd3-dsv';
import type { Ratio, Row, Spread } from '../core/row.ts';

type Cell = string | number | boolean | undefined;

/** Rows as CSV, one line each, with a heading: everything but the samples, which the JSON lines have. */
export function rowsCsv(rows: readonly Row[]): string {
  const parameters = namesOf(rows.map((row) => row.parameters));
  const quantities = namesOf(rows.map((row) => row.quantities ?? {}));
  const table = rows.map((row) => ({
    ...identity(row),
    ...prefixed('parameter', parameters, row.parameters),
    ...numbers(row),
    ...prefixed('quantity', quantities, row.quantities ?? {}),
  }));
  return `${csvFormat(table)}\n`;
}

function identity(row: Row): Record<string, Cell> {
  const { suite, comparison, contender, role, engine, backend, softwareGpu, status, reason, check } = row;
  return {
    suite,
    comparison,
    contender,
    role,
    engine,
    backend,
    softwareGpu,
    status,
    reason,
    checkedAgainst: check?.against,
    error: check?.error,
    tolerance: check?.tolerance,
  };
}

function numbers(row: Row): Record<string, Cell> {
  const { baseline, memoryRatio, compileMs, uploadMs, uploadBytes, peakTensorBytes, peakDeviceBytes } = row;
  const { cost, roofline, samplesMs, runsPerSample } = row;
  return {
    baseline,
    ...ratio('timeRatio', row.timeRatio),
    ...ratio('cpuRatio', row.cpuRatio),
    memoryRatio,
    ...times('wallMs', row.wallMs),
    ...times('cpuMs', row.cpuMs),
    ...times('gpuMs', row.gpuMs),
    samples: samplesMs?.length,
    runsPerSample,
    compileMs,
    uploadMs,
    uploadBytes,
    peakTensorBytes,
    peakDeviceBytes,
    params: cost?.params,
    macs: cost?.macs,
    bytes: cost?.bytes,
    flopsPerSecond: roofline?.flopsPerSecond,
    attainableFlopsPerSecond: roofline?.attainableFlopsPerSecond,
    rooflinePercent: roofline?.percent,
    rooflineLimit: roofline?.limit,
  };
}

function ratio(name: string, of: Ratio | undefined): Record<string, Cell> {
  return { [name]: of?.value, [`${name}Low`]: of?.interval[0], [`${name}High`]: of?.interval[1] };
}

function times(name: string, of: Spread | undefined): Record<string, Cell> {
  return {
    [name]: of?.median,
    [`${name}Quartile1`]: of?.quartiles[0],
    [`${name}Quartile3`]: of?.quartiles[1],
    [`${name}Low`]: of?.interval[0],
    [`${name}High`]: of?.interval[1],
  };
}

/** Every row has the same columns: d3-dsv takes the heading from all of them. */
function prefixed(prefix: string, names: readonly string[], of: Readonly<Record<string, Cell>>): Record<string, Cell> {
  return Object.fromEntries(names.map((name) => [`${prefix}.${name}`, of[name]]));
}

function namesOf(records: readonly object[]): readonly string[] {
  return [...new Set(records.flatMap((record) => Object.keys(record)))];
}
