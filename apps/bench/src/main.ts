// `pnpm bench`: measures every suite on the backends of this machine, and writes what came out as JSON lines, CSV and HTML.
import { benchCommand } from './node/command.ts';
import { nodeSuites } from './node/suites.ts';

const worker = new URL('./node/worker.ts', import.meta.url);
process.exitCode = await benchCommand(process.argv.slice(2), { suites: nodeSuites, worker });
