// A worker that serves the suites of tests.
import { serveProcess } from '../serveProcess.ts';
import { mortalSuite, tinySuite } from './tinySuite.ts';

serveProcess([tinySuite, mortalSuite]);
