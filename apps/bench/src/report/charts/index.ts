export { CHART_CSS } from './colours.ts';
export { type Chart, init } from './echarts.ts';
export { ratioChart } from './ratioChart.ts';
export { ratioMap } from './ratioMap.ts';
export { rooflineChart } from './rooflineChart.ts';
export { scalingChart } from './scalingChart.ts';
export { seriesKey } from './series.ts';
