import { homedir } from 'node:os';
import { posix, win32 } from 'node:path';

/**
 * Where downloaded weights are kept unless a folder is named: `saccade/weights` in the user's cache folder, which is
 *
 * - on Linux and other systems `$XDG_CACHE_HOME`, or `~/.cache`,
 * - on macOS `~/Library/Caches`,
 * - on Windows `%LOCALAPPDATA%`, or `~\AppData\Local`.
 *
 * The variable `SACCADE_CACHE` replaces the user's cache folder on all of them. Relative paths in variables are ignored.
 */
export function cacheDirectory(
  platform: NodeJS.Platform = process.platform,
  environment: Readonly<Record<string, string | undefined>> = process.env,
  home: string = homedir(),
): string {
  const path = platform === 'win32' ? win32 : posix;
  const [variable, standard] =
    platform === 'win32'
      ? [environment.LOCALAPPDATA, path.join(home, 'AppData', 'Local')]
      : platform === 'darwin'
        ? [undefined, path.join(home, 'Library', 'Caches')]
        : [environment.XDG_CACHE_HOME, path.join(home, '.cache')];
  const absolute = (folder: string | undefined) => (folder && path.isAbsolute(folder) ? folder : undefined);
  return path.join(absolute(environment.SACCADE_CACHE) ?? absolute(variable) ?? standard, 'saccade', 'weights');
}
