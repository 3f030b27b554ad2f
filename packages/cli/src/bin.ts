#!/usr/bin/env node
import { runCli } from './run.ts';
import { abortOnInterrupt } from './terminal/interrupt.ts';

process.exitCode = await runCli(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  signal: abortOnInterrupt(),
});
