import { openWeightsFile } from '@saccade/weights/node';
const lanes = Number(process.argv[2]);
await using f = await openWeightsFile('/tmp/names/tsm.pth');
const t = performance.now();
const names = [...f.names];
const out = [];
await Promise.all(Array.from({ length: lanes }, async () => { for (let n = names.shift(); n !== undefined; n = names.shift()) out.push(await f.get(n)); }));
console.log(lanes, (performance.now() - t).toFixed(0));
