import { formatPercent, type Html, html } from '@saccade/command-kit';
import { stripPng } from '../images.ts';
import type { DemoReport, GalleryClip } from '../types.ts';
import { MODEL_STYLE, type Section } from './section.ts';

/** Answers shown per model. */
const ANSWERS = 3;

/** Clips that play, with what each model says about them. */
export function gallerySection({ gallery, task, models }: DemoReport): Section | null {
  if (gallery.length === 0) return null;
  const names = models.map(({ name }) => name);
  const body = html`
<p>Held-out clips and the ${ANSWERS} most likely answers of each model. The canvas has no border: what leaves on one side
comes in on the other. Under each clip lie all its frames, left to right.</p>
<p class="controls"><button type="button" id="play-all" aria-pressed="true">Pause all</button></p>
<div class="gallery">
${gallery.map((clip, index) => card(clip, index, task.classes, names))}</div>
`;
  return { id: 'clips', title: 'Clips and predictions', body };
}

function card(clip: GalleryClip, index: number, classes: readonly string[], names: readonly string[]): Html {
  const { frames, label, probabilities, note } = clip;
  const name = `Clip ${index + 1}`;
  const truth = classes[label] as string;
  return html`<article class="clip" data-clip data-count="${frames.count}" aria-labelledby="clip-${index}">
<h3 id="clip-${index}"><small>${name}</small> ${truth}</h3>
<canvas width="${frames.width}" height="${frames.height}" role="img" aria-label="${name}, playing: a digit moves, ${truth}"></canvas>
<div class="transport"><button type="button" aria-label="Pause ${name}">Pause</button><input type="range" min="0" max="${frames.count - 1}" value="0" aria-label="Frame of ${name}"><output>1/${frames.count}</output></div>
<img class="strip" src="${stripPng(frames)}" width="${frames.width * frames.count}" height="${frames.height}" alt="The ${frames.count} frames of ${name} side by side">
${note !== undefined && html`<p class="note">${note}</p>\n`}${probabilities.map((values, model) => answers(values, label, classes, names[model] as string, MODEL_STYLE[model] as string))}</article>
`;
}

function answers(values: Float32Array, label: number, classes: readonly string[], name: string, style: string): Html {
  const ranked = Array.from(values, (value, place) => ({ value, place })).sort((a, b) => b.value - a.value);
  const right = ranked[0]?.place === label;
  return html`<div class="answers">
<h4><span class="${style}">${name}</span> <span class="${right ? 'right' : 'wrong'}"><span aria-hidden="true">${right ? '✓' : '✗'}</span><span class="spoken">${right ? 'right' : 'wrong'}</span></span></h4>
<ol>
${ranked
  .slice(0, ANSWERS)
  .map(
    ({ value, place }) =>
      html`<li${place === label && html` class="truth"`}><span>${classes[place]}</span><b>${formatPercent(value, 0)}</b><i class="confidence ${style}" style="--value:${(100 * value).toFixed(1)}%"></i></li>\n`,
  )}</ol>
</div>
`;
}
