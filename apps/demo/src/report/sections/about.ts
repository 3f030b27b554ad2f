import { html } from '@saccade/command-kit';
import type { DemoReport } from '../types.ts';
import type { Section } from './section.ts';

/** Where, how, and what the figures do not say. */
export function aboutSection({ environment, method, limits, commands }: DemoReport): Section {
  const body = html`
<h3>How it was measured</h3>
${method.map((paragraph) => html`<p>${paragraph}</p>\n`)}<h3>Limits</h3>
<ul>
${limits.map((limit) => html`<li>${limit}</li>\n`)}</ul>
<h3>Environment</h3>
<dl>
${environment.map(([label, value]) => html`<div><dt>${label}</dt><dd>${value}</dd></div>\n`)}</dl>
${commands?.length && html`<h3>Make it again</h3>\n<pre><code>${commands.join('\n')}</code></pre>\n`}`;
  return { id: 'about', title: 'About these figures', body };
}
