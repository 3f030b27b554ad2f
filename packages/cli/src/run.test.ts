import { describe, expect, it } from 'vitest';
import { saccade } from './testing/cli.ts';

describe('saccade', () => {
  it('shows its help and version', async () => {
    const help = await saccade(['--help']);
    expect(help).toMatchObject({ code: 0, err: '' });
    expect(help.out).toMatch(/Usage: saccade[\s\S]*weights/);
    expect(await saccade(['--version'])).toMatchObject({ code: 0, out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
    expect((await saccade(['weights', 'convert', '--help'])).out).toMatch(/--resize-positions/);
  });

  it.each([
    [[], /Usage: saccade/],
    [['weights'], /inspect[\s\S]*convert[\s\S]*verify/],
    [['wieghts'], /unknown command 'wieghts'.*Did you mean weights/s],
    [['weights', 'inspect'], /missing required argument 'file'/],
    [['weights', 'inspect', 'a', '--nroms'], /unknown option '--nroms'[\s\S]*--norms/],
    [['weights', 'convert', 'a', 'b', '--dtype', 'f8'], /Allowed choices are f32, f16, bf16/],
    [['weights', 'verify', 'a', '--against', 'b', '--tolerance', 'low'], /a number >= 0 is needed, such as 1e-6/],
    [['weights', 'convert', 'a', 'b', '--for', 'm', '--classes', '1.5'], /an integer >= 1 is needed/],
    [['weights', 'convert', 'a', 'b', '--metadata', 'epoch'], /key=value is needed/],
  ])('ends with 2 for %j, and says why', async (args, message) => {
    const { code, out, err } = await saccade(args);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(message);
  });
});
