// The process that measures: one backend, one comparison after the other.
import { serveProcess } from './serveProcess.ts';
import { nodeSuites } from './suites.ts';

serveProcess(nodeSuites);
