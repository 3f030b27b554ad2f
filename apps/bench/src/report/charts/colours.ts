/** Colours of one theme. */
export interface ChartColours {
  readonly page: string;
  readonly text: string;
  readonly muted: string;
  readonly line: string;
  /** less than the baseline, more than the baseline */
  readonly less: string;
  readonly more: string;
  /** of series, in this order; with their symbols they can be told apart without colour */
  readonly series: readonly string[];
}

/**
 * The hues of Okabe and Ito (Color Universal Design, 2008), which the common kinds of colour blindness keep apart, made
 * darker or lighter until each has a contrast of at least 3 with the page.
 */
export const CHART_COLOURS: Readonly<Record<'light' | 'dark', ChartColours>> = {
  light: {
    page: '#ffffff',
    text: '#1c1e21',
    muted: '#5b6168',
    line: '#dfe1e4',
    less: '#0072b2',
    more: '#c45500',
    series: ['#0072b2', '#c45500', '#007a5a', '#a94b87', '#8a6d00', '#3b8fc4', '#1c1e21', '#6b7280'],
  },
  dark: {
    page: '#1c1e22',
    text: '#e6e7e9',
    muted: '#a2a8b0',
    line: '#33363c',
    less: '#58a6e0',
    more: '#ff9148',
    series: ['#58a6e0', '#ff9148', '#3fc79a', '#e09ac8', '#f0d860', '#9bd0f5', '#e6e7e9', '#9aa1ab'],
  },
};

const ROLES = ['page', 'text', 'muted', 'line', 'less', 'more'] as const;

const declarations = (colours: ChartColours) =>
  [
    ...ROLES.map((role) => `--chart-${role}: ${colours[role]};`),
    ...colours.series.map((colour, place) => `--chart-series-${place}: ${colour};`),
  ].join(' ');

/**
 * A page with charts needs these rules: options name colours as variables of the page, so that a drawn chart follows the
 * reader's theme, with and without scripts.
 */
export const CHART_CSS = `:root { ${declarations(CHART_COLOURS.light)} }
@media (prefers-color-scheme: dark) { :root { ${declarations(CHART_COLOURS.dark)} } }
`;

/** Colours as options name them. */
export const INK = Object.fromEntries(ROLES.map((role) => [role, `var(--chart-${role})`])) as Readonly<
  Record<(typeof ROLES)[number], string>
>;

const PLUS = 'path://M-3,-9H3V-3H9V3H3V9H-3V3H-9V-3H-3Z';
const SYMBOLS = ['circle', 'diamond', 'triangle', 'rect', 'arrow', PLUS, 'roundRect'] as const;

/** Colour and symbol of series number `place`; there are 56 different ones. */
export function seriesStyle(place: number): { readonly color: string; readonly symbol: string } {
  return {
    color: `var(--chart-series-${place % CHART_COLOURS.light.series.length})`,
    symbol: SYMBOLS[place % SYMBOLS.length] as string,
  };
}
