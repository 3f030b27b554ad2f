import { setupBackend } from '@saccade/tensor-ops/node';
import type { LisaGrid } from '../tables.ts';
import { type What, workOf } from './scalingWork.ts';

// One computation in a process of its own: by how many bytes its largest resident size exceeds that before, with the inputs
// in place. `measureScaling.ts` starts it; by hand: `pnpm --filter @saccade/lisa run measure:memory lisa 56x56`.

await setupBackend('wasm');
const [what, sides] = process.argv.slice(2) as [What, string];
const grid: LisaGrid = sides.split('x').map(Number);

// On a small grid first: code is compiled, constants are made.
const small = workOf(what, [8, 8]);
for (let i = 0; i < 3; i++) small.run().dispose();
small.dispose();

const work = workOf(what, grid);
globalThis.gc?.();
const before = process.resourceUsage().maxRSS;
const result = work.run();
await result.data();
console.log(JSON.stringify({ peakBytes: 1024 * (process.resourceUsage().maxRSS - before) }));
