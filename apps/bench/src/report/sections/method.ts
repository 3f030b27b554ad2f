import { type Html, html } from '@saccade/command-kit/html';
import type { Run } from '../run.ts';

/** How to read the report; the figures in it are those of its rows. */
export function methodSection(runs: readonly Run[]): Html {
  const counts = runs.flatMap(({ rows }) => rows.flatMap(({ samplesMs }) => samplesMs?.length ?? []));
  const samples = counts.length === 0 ? 'no' : range(Math.min(...counts), Math.max(...counts));
  return html`<section id="method" aria-labelledby="method-title">
<h2 id="method-title">How it was measured</h2>
<p>Contenders of a comparison do the same work on the same numbers. Each result is compared with a reference first; only what is
right is timed. After warm-up they take turns, each round in another order, so that whatever slows the machine down slows
all of them. There are ${samples} samples of each; a sample repeats work that is too short for the clock.</p>
<p>All times are <b>ratios</b>: 0.5× means half of the baseline's time in the same run. The ratio is the median over the rounds, the
interval holds the true median with at least 95 % confidence, whatever the distribution. Times themselves stand in
the JSON lines beside this report, where they cannot be taken for what another machine needs.</p>
<dl>
<div><dt>memory</dt><dd>the most bytes at once beside those that were there, of the device where that is known, else of tensors</dd></div>
<div><dt>of the roof</dt><dd>rate of multiply-adds by what the device could do at best for work of this kind: the least of its peak rate and its
bandwidth times operations per byte, both measured in the same run</dd></div>
<div><dt>compile, upload</dt><dd>what the first run takes longer, and moving the inputs to the device, in steady runs</dd></div>
<div><dt>deviation</dt><dd>the largest error by the largest magnitude expected, of how much is allowed: and from what</dd></div>
<div><dt>slope</dt><dd>of the straight line through log(quantity) over log(N): 2 is quadratic, 1 linear</dd></div>
<div><dt>wrong</dt><dd>its numbers are not those of the reference, so it has no time</dd></div>
<div><dt>failed</dt><dd>it threw an error</dd></div>
<div><dt>skipped</dt><dd>known beforehand, or after one run, to take too much memory or time</dd></div>
<div><dt>absent</dt><dd>a peer that this machine lacks, or that has no such operation</dd></div>
</dl>
</section>
`;
}

function range(low: number, high: number): string {
  return low === high ? String(low) : `${low} to ${high}`;
}
