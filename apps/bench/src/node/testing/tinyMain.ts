// The command with the suites of tests.
import { benchCommand } from '../command.ts';
import { mortalSuite, tinySuite } from './tinySuite.ts';

process.exitCode = await benchCommand(process.argv.slice(2), {
  suites: [tinySuite, mortalSuite],
  worker: new URL('./tinyWorker.ts', import.meta.url),
});
