import type { Row } from './row.ts';
import type { SlopeLine } from './run.ts';
import { logSlope } from './statistics.ts';

/** Least N of a fit: below, what does not grow with N (dispatching, small caches) hides what does. */
export const LEAST_TOKENS = 784;
/** Through two points goes every line. */
const fewestPoints = 3;

const quantities: Readonly<Record<SlopeLine['quantity'], (row: Row) => number | undefined>> = {
  wallMs: (row) => row.wallMs?.median,
  cpuMs: (row) => row.cpuMs?.median,
  gpuMs: (row) => row.gpuMs?.median,
  peakTensorBytes: (row) => row.peakTensorBytes,
  peakDeviceBytes: (row) => row.peakDeviceBytes,
};

/**
 * How time and memory grow with N: a slope for every quantity of every series of measured rows, which differ in `tokens`
 * and in no other parameter, with at least three different N from {@link LEAST_TOKENS} on.
 */
export function slopeLines(rows: readonly Row[]): SlopeLine[] {
  const series = new Map<string, Row[]>();
  for (const row of rows.filter(isPoint)) {
    const name = seriesOf(row);
    series.set(name, [...(series.get(name) ?? []), row]);
  }
  return [...series.values()].flatMap((points) =>
    (Object.keys(quantities) as SlopeLine['quantity'][]).flatMap((quantity) => fit(points, quantity)),
  );
}

function isPoint({ status, parameters }: Row): boolean {
  return status === 'measured' && typeof parameters.tokens === 'number' && parameters.tokens >= LEAST_TOKENS;
}

/** Equal for rows of one series, in whatever order their parameters are named. */
function seriesOf(row: Row): string {
  const { suite, backend, contender } = row;
  return JSON.stringify([suite, backend, contender, Object.entries(otherParameters(row)).sort()]);
}

function otherParameters({ parameters }: Row): SlopeLine['parameters'] {
  const { tokens: _, ...others } = parameters;
  return others;
}

function fit(rows: readonly Row[], quantity: SlopeLine['quantity']): SlopeLine[] {
  const points = rows.flatMap((row) => {
    const value = quantities[quantity](row);
    // There is no logarithm of nothing: work that makes no tensors has no slope of them.
    return value !== undefined && value > 0 ? [[Number(row.parameters.tokens), value] as const] : [];
  });
  const tokens = [...new Set(points.map(([n]) => n))].sort((a, b) => a - b);
  const [first] = rows;
  if (first === undefined || tokens.length < fewestPoints) return [];
  const { suite, backend, softwareGpu, contender } = first;
  const where = { suite, backend, softwareGpu, contender, parameters: otherParameters(first) };
  return [{ kind: 'slope', ...where, quantity, slope: logSlope(points), tokens }];
}
