import {
  CustomChart,
  type CustomSeriesOption,
  LineChart,
  type LineSeriesOption,
  ScatterChart,
  type ScatterSeriesOption,
} from 'echarts/charts';
import {
  AriaComponent,
  type AriaComponentOption,
  GridComponent,
  type GridComponentOption,
  LegendComponent,
  type LegendComponentOption,
  MarkLineComponent,
  type MarkLineComponentOption,
  TooltipComponent,
  type TooltipComponentOption,
} from 'echarts/components';
import { type ComposeOption, init, use } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';

use([
  AriaComponent,
  CustomChart,
  GridComponent,
  LegendComponent,
  LineChart,
  MarkLineComponent,
  ScatterChart,
  SVGRenderer,
  TooltipComponent,
]);

/** `echarts.init` with the parts that the charts of this folder need, and no others. Draws SVG. */
export { init };

/** What `setOption` takes. */
export type ChartOption = ComposeOption<
  | AriaComponentOption
  | CustomSeriesOption
  | GridComponentOption
  | LegendComponentOption
  | LineSeriesOption
  | MarkLineComponentOption
  | ScatterSeriesOption
  | TooltipComponentOption
>;

/** A chart that is yet to be drawn: by {@link init} on a page, or as text by `chartSvg`. */
export interface Chart {
  readonly option: ChartOption;
  /** pixels that it needs */
  readonly height: number;
  /** a caption */
  readonly title: string;
  /** what it shows, in words, for those who do not see it */
  readonly label: string;
}
