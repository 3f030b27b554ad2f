import { describe, expect, it } from 'vitest';
import { saccade } from '../testing/cli.ts';

describe('saccade weights list', () => {
  it('shows the catalogue, and that nobody has tried it', async () => {
    const { code, out, err } = await saccade(['weights', 'list', 'deit_*']);
    expect(code).toBe(0);
    expect(out).toMatch(/\| deit_ti\.in1k +\| ImageNet-1K \| 1000 +\| 224x224 \| Apache-2\.0 \| https:/);
    expect(err).toMatch(/^6 of these 6 were never downloaded and run by Saccade/);
    expect(JSON.parse((await saccade(['weights', 'list', '--json'])).out).length).toBeGreaterThan(20);
    expect(await saccade(['weights', 'list', 'x*'])).toMatchObject({ code: 1, err: expect.stringContaining('x*') });
  });
});
