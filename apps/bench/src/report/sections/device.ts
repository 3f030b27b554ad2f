import { formatCompact } from '@saccade/command-kit/format';
import { type Html, html } from '@saccade/command-kit/html';
import type { DeviceLine, Roofline } from '../../core/run.ts';
import { rooflineChart } from '../charts/rooflineChart.ts';
import type { Run } from '../run.ts';
import { figure } from './figure.ts';

/** A backend: what computes, what it can do at best, and how near the rows come to that. */
export function deviceSection(device: DeviceLine, { rows }: Pick<Run, 'rows'>): Html {
  const { backend, description, features, roofline } = device;
  return html`<h4>${backend}: ${description}</h4>
<p>${roofline ? roofText(roofline) : 'What the device can do at best could not be measured.'}${features.length > 0 && html` <small>Features: ${features.join(', ')}.</small>`}</p>
${figure(rooflineChart(rows, device))}`;
}

/** Rates of the device, by which the figures are divided; the latency as work that could be done meanwhile. */
function roofText({ flopsPerSecond, bytesPerSecond, dispatchMs }: Roofline): string {
  const meanwhile = (flopsPerSecond / 2) * (dispatchMs / 1000);
  return `Measured in this run: ${formatCompact(flopsPerSecond)}FLOP/s by fused multiply-adds, ${formatCompact(bytesPerSecond)}B/s read plus written. Handing over an empty program costs as much as ${formatCompact(meanwhile)} multiply-adds at that rate.`;
}
