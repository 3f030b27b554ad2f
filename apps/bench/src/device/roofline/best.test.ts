import { expect, it } from 'vitest';
import { Clock, fakeBench } from '../../core/testing/fakeBench.ts';
import { leastMs } from './best.ts';

it('leastMs takes the best of samples that are long enough for the clock, the first run not counted', async () => {
  const clock = new Clock();
  let runs = 0;
  const asked: number[] = [];
  const run = (times: number) => {
    asked.push(times);
    // The first run is short, as if by mistake; another program takes the processor away for 20 ms now and then.
    clock.pass(runs === 0 ? 0 : 0.5 * times + (runs % 3 === 1 ? 20 : 0));
    runs++;
  };
  expect(await leastMs(fakeBench(clock), { run, most: 1024 })).toBe(0.5);
  expect(Math.max(...asked)).toBe(16);
  expect(asked.filter((times) => times === 16).length).toBeGreaterThanOrEqual(6);
});

it('leastMs makes work no longer than it may', async () => {
  const clock = new Clock();
  const run = (times: number) => clock.pass(3 * times);
  expect(await leastMs(fakeBench(clock), { run, most: 1 })).toBe(3);
});
