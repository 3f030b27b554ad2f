// Prints the totals of a vitest JSON report as `N passed, N failed, N skipped`; exits 1 if anything failed.
import { readFileSync } from 'node:fs';

const text = readFileSync(process.argv[2], 'utf8');
// vitest writes the report at the end of its run: an empty one means that it did not get there.
const report = text === '' ? { numPassedTests: 0, numFailedTests: 1, testResults: [] } : JSON.parse(text);
const { numPassedTests: passed, numPendingTests: pending = 0, numTodoTests: todo = 0 } = report;
// A file that cannot be loaded has no tests to count, but it has failed.
const brokenFiles = report.testResults.filter((file) => file.status === 'failed' && file.assertionResults.length === 0);
// Nor does a process that died have any: then the run as a whole says that it failed.
const died = report.success === false && report.numFailedTests + brokenFiles.length === 0 ? 1 : 0;
const failed = report.numFailedTests + brokenFiles.length + died;

console.log(`${passed} passed, ${failed} failed, ${pending + todo} skipped`);
if (failed > 0) process.exitCode = 1;
