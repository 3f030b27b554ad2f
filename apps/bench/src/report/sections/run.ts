import { formatBytes } from '@saccade/command-kit/format';
import { type Html, html } from '@saccade/command-kit/html';
import type { RunHeader } from '../../core/run.ts';
import { type PlaceKind, partOf, type Run } from '../run.ts';
import { deviceSection } from './device.ts';
import { lossesSection } from './losses.ts';
import { slopeTable } from './slopes.ts';
import { suiteSections } from './suite.ts';

const TITLES: Readonly<Record<PlaceKind, string>> = {
  processor: 'On the processor',
  gpu: 'On the GPU',
  software: 'Software WebGPU: a driver on the processor: nothing about a GPU',
};

/** One run: its machine, where we lose, and every place that it computed on. */
export function runSection(run: Run, number: number): Html {
  const id = `run-${number}`;
  const parts = (['processor', 'gpu', 'software'] as const).map((kind) => [kind, partOf(run, kind)] as const);
  const hardware = run.rows.filter(({ softwareGpu }) => !softwareGpu);
  return html`<section id="${id}" aria-labelledby="${id}-title">
<h2 id="${id}-title">${runTitle(run.header)}</h2>
${machineList(run.header)}
<section id="${id}-losses" class="losses" aria-labelledby="${id}-losses-title">
<h3 id="${id}-losses-title">Embarrassing numbers</h3>
${hardware.length < run.rows.length && html`<p>What a software GPU computed is not among them; its section has its own.</p>\n`}${lossesSection({ rows: hardware })}</section>
${parts.map(([kind, part]) => (part.rows.length > 0 || part.devices.length > 0) && placeSection(`${id}-${kind}`, kind, part))}</section>
`;
}

export function runTitle({ machine, home, date }: RunHeader): string {
  return `${machine.processor}, ${home === 'node' ? 'Node' : 'browser'}, ${date.slice(0, 10)}`;
}

function placeSection(id: string, kind: PlaceKind, part: Run): Html {
  const software = kind === 'software';
  return html`<section id="${id}" class="place ${kind}" aria-labelledby="${id}-title">
<h3 id="${id}-title">${TITLES[kind]}</h3>
${software && html`<p class="warning">A program plays the GPU here. Results are right, and which of two ways has fewer operations may be seen; how fast either is on a GPU cannot.</p>\n`}${part.devices.map((device) => deviceSection(device, part))}${suiteSections(part)}${part.slopes.length > 0 && html`<h4>Slopes</h4>\n${slopeTable(part)}`}${software && lossesSection(part)}</section>
`;
}

function machineList({ machine, versions, commit, scale, options, date, home }: RunHeader): Html {
  const { processor, cores, memory, system } = machine;
  const entries: [name: string, value: string][] = [
    ['processor', `${processor}, ${cores} ${cores === 1 ? 'core' : 'cores'}`],
    ...(memory === undefined ? [] : [['memory', formatBytes(memory)] as [string, string]]),
    ['system', system],
    [
      'measured in',
      `${home === 'node' ? 'Node' : 'a browser'}, ${date}, ${scale === 'full' ? 'in full' : 'quickly (some sizes)'}`,
    ],
    ...(commit === undefined ? [] : [['commit', commit.replace(/\+$/, ', changed')] as [string, string]]),
    [
      'versions',
      Object.entries(versions)
        .map((pair) => pair.join(' '))
        .join(', '),
    ],
    [
      'options',
      Object.entries(options)
        .map(([name, value]) => `${name}: ${[value].flat().join(' ')}`)
        .join(', '),
    ],
  ];
  return html`<dl>
${entries.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>\n`)}</dl>
`;
}
