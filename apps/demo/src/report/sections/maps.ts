import { formatNumber, Html, html } from '@saccade/command-kit';
import { contours } from 'd3-contour';
import { divergingGradient, framePng, mapPng } from '../images.ts';
import type { DemoReport, FrameStack, GalleryClip, StructureMap } from '../types.ts';
import type { Section } from './section.ts';

/** Grey level at which the outline of the digit is drawn over a map. */
const OUTLINE_LEVEL = 96;

/** For some clips: which places and times one token takes its sum from. */
export function mapsSection({ gallery, task }: DemoReport): Section | null {
  const clips = gallery.map((clip, index) => ({ clip, index })).filter(({ clip }) => clip.maps?.length);
  if (clips.length === 0) return null;
  const body = html`
<p>An attention layer computes each token as a weighted sum over all tokens of the clip. A map shows these weights for
one token, the query (boxed), over space and time; thin lines are the outline of the digit in those frames. Plain
attention weighs each token by its likeness to the query alone, and its weights are positive. Structural attention
weighs by the pattern of likeness around each place, and may subtract: orange adds, blue takes away, black ignores.</p>
${clips.map(({ clip, index }) => clipMaps(clip, index, task.classes[clip.label] as string))}`;
  return { id: 'maps', title: 'Structure maps', body };
}

function clipMaps({ frames, maps = [] }: GalleryClip, index: number, truth: string): Html {
  return html`<h3><small>Clip ${index + 1}</small> ${truth}</h3>
${maps.map((map) => {
  const scale = map.weights.reduce((most, weight) => Math.max(most, Math.abs(weight)), 0) || 1;
  const group = frames.count / map.grid.time;
  const { time, row, column } = map.query;
  return html`<figure class="map">
<figcaption><strong>${map.title}</strong> Query: ${frameNames(time, group)}, row ${row + 1}, column ${column + 1} of a ${map.grid.rows} × ${map.grid.columns} grid.</figcaption>
<div class="scroll" tabindex="0" role="region" aria-label="${map.title}, clip ${index + 1}">
<ol class="map-frames" style="--count:${map.grid.time}">
${Array.from({ length: map.grid.time }, (_, step) => timeStep(frames, map, step, scale))}</ol>
</div>
<div class="legend"><span>−${formatNumber(scale)}</span><i style="background:linear-gradient(to right, ${divergingGradient()})"></i><span>+${formatNumber(scale)}</span><span class="note">weight; the scale is this map's own</span></div>
</figure>
`;
})}`;
}

/** One column: the frames that a time step of the token grid covers, and the map over them. */
function timeStep(frames: FrameStack, map: StructureMap, step: number, scale: number): Html {
  const group = frames.count / map.grid.time;
  const covered = Array.from({ length: group }, (_, place) => step * group + place);
  const box = `0 0 ${frames.width} ${frames.height}`;
  const whole = html`width="${frames.width}" height="${frames.height}"`;
  const isQuery = map.query.time === step;
  const name = frameNames(step, group);
  const mark = isQuery && queryBox(frames, map);
  return html`<li>${covered.map(
    (frame) =>
      html`<svg viewBox="${box}" role="img" aria-label="Frame ${frame + 1}${isQuery ? ', with the query marked' : ''}"><image href="${framePng(frames, frame)}" ${whole}/>${mark}</svg>`,
  )}<svg viewBox="${box}" role="img" aria-label="Weights over ${name}, from ${weightRange(map, step)}"><image href="${mapPng(map, step, scale)}" ${whole} preserveAspectRatio="none"/>${covered.map((frame) => outline(frames, frame))}${mark}</svg><span${isQuery && html` class="at-query"`}>${name}</span></li>
`;
}

function frameNames(step: number, group: number): string {
  return group === 1 ? `frame ${step + 1}` : `frames ${step * group + 1}–${(step + 1) * group}`;
}

function weightRange({ grid, weights }: StructureMap, step: number): string {
  const size = grid.rows * grid.columns;
  const part = weights.subarray(step * size, (step + 1) * size);
  return `${formatNumber(Math.min(...part))} to ${formatNumber(Math.max(...part))}`;
}

function queryBox({ height, width }: FrameStack, { grid, query }: StructureMap): Html {
  const [cellWidth, cellHeight] = [width / grid.columns, height / grid.rows];
  const place = html`x="${query.column * cellWidth}" y="${query.row * cellHeight}" width="${cellWidth}" height="${cellHeight}"`;
  return html`<rect ${place} class="query-halo"/><rect ${place} class="query"/>`;
}

/** The edge of what is bright in a frame, as one SVG path in pixel coordinates. */
function outline({ height, width, pixels }: FrameStack, frame: number): Html {
  const values = Array.from(pixels.subarray(frame * height * width, (frame + 1) * height * width));
  const { coordinates } = contours().size([width, height]).contour(values, OUTLINE_LEVEL);
  const path = coordinates
    .flat()
    .map((ring) => `M${ring.map(([x = 0, y = 0]) => `${x.toFixed(1)} ${y.toFixed(1)}`).join('L')}Z`)
    .join('');
  return path === '' ? new Html('') : html`<path d="${path}" class="outline"/>`;
}
