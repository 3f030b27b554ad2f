import { x } from 'tinyexec';
import { CheckFailure } from './runner.ts';

export interface ShellOptions {
  readonly cwd: string;
  /** Milliseconds until the command is stopped. Default: ten minutes. */
  readonly timeout?: number;
  /** Exit codes that do not mean failure. Default: only 0. */
  readonly accept?: readonly number[];
}

/** Runs a command (also from the `node_modules/.bin` above `cwd`) and returns its output; throws it if the command fails. */
export async function shell(command: string, args: readonly string[], options: ShellOptions): Promise<string> {
  const { cwd, timeout = 600_000, accept = [0] } = options;
  const result = await x(command, [...args], {
    timeout,
    nodeOptions: { cwd, env: { TURBO_TELEMETRY_DISABLED: '1', NO_COLOR: '1' } },
  });
  if (result.exitCode !== undefined && accept.includes(result.exitCode)) return result.stdout;
  const how = result.exitCode === undefined ? `was stopped after ${timeout / 1000} s` : `ended with ${result.exitCode}`;
  throw new CheckFailure(`${[command, ...args].join(' ')} ${how}\n${result.stdout}${result.stderr}`.trimEnd());
}
