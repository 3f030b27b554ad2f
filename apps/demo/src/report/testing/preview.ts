import { writeFileSync } from 'node:fs';
import { writeReport } from '../writeReport.ts';
import { syntheticReport } from './synthetic.ts';

// node --import tsx --conditions=@saccade/source src/report/testing/preview.ts FILE.html
const [, , path = 'report-preview.html'] = process.argv;
const text = writeReport(await syntheticReport());
writeFileSync(path, text);
console.log(`${path}: ${(text.length / 2 ** 10).toFixed(0)} KiB`);
