import type { PeakMemory } from './comparison.ts';
import type { Entrant } from './entrant.ts';
import { rooflineShare } from './rooflineShare.ts';
import type { Row } from './row.ts';
import type { Roofline } from './run.ts';
import { median, pairedRatio, spread } from './statistics.ts';

/** What was measured of an entrant, and how it compares with another one that took its turns in the same rounds. */
export function measuredRow(
  entrant: Entrant,
  baseline: Entrant | undefined,
  roofline: Roofline | undefined,
): Omit<Row, 'kind' | 'suite' | 'comparison' | 'parameters' | 'contender' | 'role' | 'backend' | 'softwareGpu'> {
  const { contender, check, firstMs, peak, upload, runsPerSample, wall, cpu, gpu, quantities } = entrant;
  const wallMs = spread(wall);
  const hasCpu = cpu.length === wall.length;
  const share =
    contender.cost === undefined || roofline === undefined || contender.role === 'peer'
      ? undefined
      : rooflineShare(contender.cost, gpu.length > 0 ? spread(gpu).median : wallMs.median, roofline);
  const compared = baseline !== undefined && {
    baseline: baseline.contender.name,
    timeRatio: pairedRatio(wall, baseline.wall),
    ...(hasCpu && baseline.cpu.length === wall.length && { cpuRatio: pairedRatio(cpu, baseline.cpu) }),
    ...memoryRatio(peak, baseline.peak),
  };
  return {
    status: 'measured' as const,
    check,
    wallMs,
    ...(hasCpu && { cpuMs: spread(cpu) }),
    ...(gpu.length > 0 && { gpuMs: spread(gpu) }),
    samplesMs: wall,
    runsPerSample,
    ...compared,
    compileMs: Math.max(firstMs - wallMs.median, 0),
    ...(upload && { uploadMs: upload.ms, uploadBytes: upload.bytes }),
    // Nothing at all: the work of a library whose memory nobody here sees.
    ...(peak.tensorBytes > 0 && { peakTensorBytes: peak.tensorBytes }),
    ...(peak.deviceBytes !== undefined && peak.deviceBytes > 0 && { peakDeviceBytes: peak.deviceBytes }),
    ...(contender.cost && { cost: contender.cost }),
    ...(share && { roofline: share }),
    ...(quantities.length > 0 && { quantities: medians(quantities) }),
  };
}

function medians(samples: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const names = Object.keys(samples[0] ?? {});
  return Object.fromEntries(names.map((name) => [name, median(samples.map((sample) => sample[name] as number))]));
}

function memoryRatio(own: PeakMemory, baseline: PeakMemory): { memoryRatio?: number } {
  const bytes = (peak: PeakMemory) => peak.deviceBytes ?? peak.tensorBytes;
  return bytes(own) > 0 && bytes(baseline) > 0 ? { memoryRatio: bytes(own) / bytes(baseline) } : {};
}
