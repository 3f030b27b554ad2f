import { expect, it } from 'vitest';
import { cacheDirectory } from './cacheDirectory.ts';

it.each<[NodeJS.Platform, Record<string, string>, string, string]>([
  ['linux', {}, '/home/me', '/home/me/.cache/saccade/weights'],
  ['linux', { XDG_CACHE_HOME: '/var/cache/me' }, '/home/me', '/var/cache/me/saccade/weights'],
  ['linux', { XDG_CACHE_HOME: 'relative' }, '/home/me', '/home/me/.cache/saccade/weights'],
  ['linux', { XDG_CACHE_HOME: '' }, '/home/me', '/home/me/.cache/saccade/weights'],
  ['linux', { XDG_CACHE_HOME: '/a', SACCADE_CACHE: '/b' }, '/home/me', '/b/saccade/weights'],
  ['linux', { SACCADE_CACHE: '../b' }, '/home/me', '/home/me/.cache/saccade/weights'],
  ['freebsd', {}, '/home/me', '/home/me/.cache/saccade/weights'],
  ['darwin', { XDG_CACHE_HOME: '/a' }, '/Users/me', '/Users/me/Library/Caches/saccade/weights'],
  ['win32', {}, 'C:\\Users\\me', 'C:\\Users\\me\\AppData\\Local\\saccade\\weights'],
  ['win32', { LOCALAPPDATA: 'D:\\Local' }, 'C:\\Users\\me', 'D:\\Local\\saccade\\weights'],
])('%s %j', (platform, environment, home, expected) => {
  expect(cacheDirectory(platform, environment, home)).toBe(expected);
});
