import { readFileSync } from 'node:fs';
import { Html, html } from '@saccade/command-kit';
import { aboutSection } from './sections/about.ts';
import { accuracySection } from './sections/accuracy.ts';
import { confusionSection } from './sections/confusion.ts';
import { gallerySection } from './sections/gallery.ts';
import { headlineSection } from './sections/headline.ts';
import { mapsSection } from './sections/maps.ts';
import { trainingSection } from './sections/training.ts';
import type { DemoReport } from './types.ts';
import { checkReport } from './validate.ts';

const asset = (name: string) => new Html(readFileSync(new URL(`./assets/${name}`, import.meta.url), 'utf8'));

/** What a browser may do with the page: run and style itself, show its own pictures, and reach nothing outside. */
const POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'";

/**
 * One self-contained HTML page: results, controls, clips with predictions, structure maps, and how it was measured.
 *
 * @returns the text of the page; it needs no other file and no network
 * @throws {ReportError} if parts of the data do not fit together
 */
export function writeReport(data: DemoReport): string {
  checkReport(data);
  const sections = [
    headlineSection(data),
    accuracySection(data),
    gallerySection(data),
    mapsSection(data),
    confusionSection(data),
    trainingSection(data),
    aboutSection(data),
  ].filter((section) => section !== null);

  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${data.title}</title>
<style>
${asset('report.css')}</style>
</head>
<body>
<a class="skip" href="#results">Skip to the results</a>
<header>
<p class="kicker">Saccade</p>
<h1>${data.title}</h1>
${data.task.description.map((paragraph) => html`<p class="lead">${paragraph}</p>\n`)}</header>
<main>
${sections.map(({ id, title, body }) => html`<section id="${id}" aria-labelledby="${id}-title">\n<h2 id="${id}-title">${title}</h2>\n${body}</section>\n`)}</main>
<script>
${asset('client.js')}</script>
</body>
</html>
`.text;
}
