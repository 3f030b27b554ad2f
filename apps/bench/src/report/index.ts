import { Html, html } from '@saccade/command-kit/html';
import type { RunLine } from '../core/run.ts';
import { runOf } from './run.ts';
import { methodSection } from './sections/method.ts';
import { runSection, runTitle } from './sections/run.ts';
import { STYLE } from './style.ts';

/** What a browser may do with the page: style itself, and nothing else. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'";

/**
 * One HTML page without scripts that needs no other file: how it was measured, and for each run its machine, where others
 * are better, and all rows as ratios. What a software GPU computed stands apart from GPUs.
 *
 * @param runs lines of each run, the header first
 * @throws {RunLinesError} if lines are not those of a run
 */
export function writeReport(runs: readonly (readonly RunLine[])[]): string {
  const read = runs.map(runOf);
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Saccade: benchmark report</title>
<style>
${new Html(STYLE)}</style>
</head>
<body>
<a class="skip" href="#run-1">Skip to the results</a>
<header>
<h1>Saccade: benchmark report</h1>
<ul>
<li><a href="#method">How it was measured</a></li>
${read.map(({ header }, index) => html`<li><a href="#run-${index + 1}">${runTitle(header)}</a></li>\n`)}</ul>
</header>
<main>
${methodSection(read)}${read.map((run, index) => runSection(run, index + 1))}</main>
</body>
</html>
`.text;
}
