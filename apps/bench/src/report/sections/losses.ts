import { type Html, html } from '@saccade/command-kit/html';
import { baselineLosses, comparisonsWithPeers, type Gap, type Loss, peerGaps, peerLosses } from '../losses.ts';
import type { Run } from '../run.ts';
import { counted, ratioCell, words } from './numbers.ts';
import { contenderText, statusText } from './rowTable.ts';

/** Shown at once; the others are a click away. */
const FIRST = 12;

/** Where others are better: computed from the rows, and there even if there is nothing to tell. */
export function lossesSection({ rows }: Pick<Run, 'rows'>): Html {
  if (rows.length === 0) return html`<p>Nothing was measured here.</p>\n`;
  const peers = peerLosses(rows);
  const plain = baselineLosses(rows);
  const compared = comparisonsWithPeers(rows);
  return html`<h4>Where a peer needs less than we do</h4>
<p>${
    compared === 0
      ? 'No peer was measured here, so there is nothing to lose against.'
      : `${counted(compared, 'comparison')} with a peer that was measured. ${peers.length === 0 ? 'In none does it need less time or memory than the fastest of ours that does the same work.' : 'Ours below is the fastest of our contenders that do the same work.'}`
  }</p>
${lossTable('Where a peer needs less', peers)}${gapList(peerGaps(rows))}<h4>Where ours is slower than its own baseline</h4>
<p>${plain.length === 0 ? 'Nothing of ours is slower than a baseline of ours.' : 'Operators against plain attention (the fastest of its forms), networks with a part against those without it.'}</p>
${lossTable('Where ours is slower than its own baseline', plain)}`;
}

function gapList(gaps: readonly Gap[]): Html | undefined {
  if (gaps.length === 0) return undefined;
  const title = `A peer was measured and nothing of ours: ${counted(gaps.length, 'time')}`;
  return html`<details${gaps.length <= FIRST && html` open`}><summary>${title}</summary>
<div class="scroll" tabindex="0" role="region" aria-label="${title}"><table class="words">
<thead><tr><th scope="col">comparison</th><th scope="col">other</th><th scope="col">ours</th><th scope="col">why</th></tr></thead>
<tbody>
${gaps.map(({ ours, theirs }) => html`<tr><th scope="row">${ours.comparison} <small>${ours.suite}, ${ours.backend}</small></th><td>${contenderText(theirs)}</td><td>${ours.contender}</td><td class="why">${statusText(ours)}</td></tr>\n`)}</tbody></table></div></details>
`;
}

function lossTable(title: string, losses: readonly Loss[]): Html {
  const [first, others] = [losses.slice(0, FIRST), losses.slice(FIRST)];
  const table = (
    some: readonly Loss[],
  ) => html`<div class="scroll" tabindex="0" role="region" aria-label="${title}"><table class="words">
<thead><tr><th scope="col">comparison</th><th scope="col">ours</th><th scope="col">other</th><th scope="col">of what</th><th scope="col">ours by the other's</th></tr></thead>
<tbody>
${some.map(lossLine)}</tbody></table></div>
`;
  return html`${first.length > 0 && table(first)}${others.length > 0 && html`<details><summary>${others.length} more</summary>\n${table(others)}</details>\n`}`;
}

function lossLine({ ours, theirs, what, ratio }: Loss): Html {
  return html`<tr><th scope="row">${ours.comparison} <small>${ours.suite}, ${ours.backend}</small></th><td>${ours.contender}</td><td>${contenderText(theirs)}</td><td>${words(what)}</td><td>${ratioCell(ratio)}</td></tr>\n`;
}
