import { CHART_CSS } from './charts/colours.ts';

/** Rules of the report, with the colours of its charts. */
export const STYLE = `${CHART_CSS}
:root { color-scheme: light dark; }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2.5rem 1.25rem 4rem; max-width: 76rem; background: var(--chart-page); color: var(--chart-text);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; font-variant-numeric: tabular-nums; }
h1, h2, h3, h4, h5 { line-height: 1.25; text-wrap: balance; }
h1 { margin: 0 0 1rem; font-size: clamp(1.7rem, 1.2rem + 2vw, 2.4rem); letter-spacing: -0.02em; }
h2 { margin: 0 0 1rem; font-size: 1.45rem; }
h3 { margin: 0 0 0.75rem; font-size: 1.2rem; }
h4 { margin: 1.75rem 0 0.5rem; font-size: 1.02rem; }
h5 { margin: 1rem 0 0.25rem; font-size: 0.95rem; color: var(--chart-muted); }
p { margin: 0 0 0.9rem; max-width: 75ch; }
section { margin-top: 2.5rem; padding-top: 1.5rem; border-top: 1px solid var(--chart-line); }
.software { padding: 1rem; border: 2px dashed var(--chart-more); border-radius: 8px; }
.warning { font-weight: 600; }
.losses { padding: 1rem; border: 1px solid var(--chart-line); border-radius: 8px; }
small { color: var(--chart-muted); font-size: 0.85em; font-weight: 400; }
a { color: var(--chart-less); }
.skip { position: absolute; left: -100rem; }
.skip:focus { position: static; }
:focus-visible { outline: 3px solid var(--chart-less); outline-offset: 2px; }
figure { margin: 1rem 0; min-width: 0; }
figcaption { margin-bottom: 0.4rem; font-size: 0.9rem; }
svg { display: block; max-width: 100%; min-width: 30rem; height: auto; }
svg text { font-family: system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 32rem), 1fr)); gap: 0 1.5rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: 0.88rem; }
th, td { padding: 0.25rem 1rem 0.25rem 0; border-bottom: 1px solid var(--chart-line); text-align: right; vertical-align: top; font-weight: 400; }
th:first-child, .why, .words th:not(:last-child), .words td:not(:last-child) { text-align: left; }
td i { color: var(--chart-muted); font-style: normal; white-space: nowrap; }
tr > :first-child { min-width: 11rem; }
tbody th[scope="row"] small { display: block; }
td:last-child:not(:first-child) { min-width: 11rem; }
thead th { font-weight: 600; white-space: nowrap; }
.group th { padding-top: 0.9rem; font-weight: 600; }
.baseline th, .baseline td { color: var(--chart-muted); }
.wrong b, .failed b { color: var(--chart-more); }
details { margin: 0.5rem 0 1rem; }
td details { margin: 0; max-width: 60ch; overflow-wrap: anywhere; }
summary { cursor: pointer; color: var(--chart-less); }
td summary { color: inherit; }
dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 22rem), 1fr)); gap: 0.6rem 2rem; margin: 0 0 1rem; }
dt { color: var(--chart-muted); font-size: 0.85rem; }
dd { margin: 0; overflow-wrap: anywhere; }
@media (max-width: 40rem) { body { padding: 1.5rem 1rem 3rem; } }
@media print { details > summary { list-style: none; } }
`;
