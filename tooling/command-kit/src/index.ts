export { formatBytes, formatCompact, formatDuration, formatInteger, formatNumber, formatPercent } from './format.ts';
export { Html, type HtmlValue, html } from './html.ts';
export { abortOnInterrupt, Interrupted } from './interrupt.ts';
export { integerAtLeast } from './options.ts';
export { type ConsoleProgress, type ConsoleProgressOptions, consoleProgress, type ProgressFields } from './progress.ts';
export { type TableOptions, textTable } from './table.ts';
