import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { Folder, floats, saccade } from '../testing/cli.ts';

const FIXTURES = fileURLToPath(new URL('../../../weights/src/fixtures/', import.meta.url));

const verify = (...args: string[]) => saccade(['weights', 'verify', ...args]);

describe('saccade weights verify', () => {
  it('finds sound files sound', async () => {
    expect(await verify(`${FIXTURES}torch/training.pth`)).toMatchObject({ code: 0, err: '' });
    const { out } = await verify(`${FIXTURES}torch/training.legacy.pth`);
    expect(out).toMatch(
      /^ok {4}structure {2}torch, \d+ tensors\nok {4}checksums {2}none in a file from before PyTorch 1\.6\nok {4}values/,
    );
    const opaque = await verify(`${FIXTURES}upstream_opaque.safetensors`);
    expect(opaque).toMatchObject({
      code: 0,
      out: expect.stringMatching(/ok {4}dtypes {5}\d+ are of dtypes of which only the bytes were read: .*complex64/),
    });
  });

  it('finds values that are no numbers', async () => {
    await using folder = await Folder.make();
    const path = await folder.tensors('a.safetensors', {
      good: floats(1),
      bad: floats(Number.NaN, 1, Number.POSITIVE_INFINITY),
    });
    const { code, out, err } = await verify(path);
    expect(code).toBe(1);
    expect(out).toMatch(/FAIL {2}values {5}1 have NaN or infinite values: bad \(2\)\n/);
    expect(err).toBe(`saccade: ${path}: values failed.\n`);
    expect(await verify(path, '--allow-non-finite')).toMatchObject({
      code: 0,
      out: expect.stringContaining('bad (2)'),
    });
  });

  it('finds damage', async () => {
    await using folder = await Folder.make();
    const whole = await readFile(`${FIXTURES}torch/training.pth`);
    const damaged = Uint8Array.from(whole);
    const place = whole.indexOf(Buffer.from('training/data/0')) + 200;
    damaged[place] = (damaged[place] as number) ^ 1;
    const flipped = await verify(await folder.file('flipped.pth', damaged));
    expect(flipped).toMatchObject({ code: 1, out: '' });
    expect(flipped.err).toMatch(/checksum|CRC/i);
    const cut = await verify(await folder.file('cut.pth', whole.subarray(0, whole.length / 2)));
    expect(cut.code).toBe(1);
    expect(cut.err).not.toContain('mistake in saccade');
  });

  it('compares the SHA-256, or its first digits', async () => {
    await using folder = await Folder.make();
    const path = await folder.tensors('a.safetensors', { a: floats(1) });
    const sha256 = createHash('sha256')
      .update(await readFile(path))
      .digest('hex');
    for (const digits of [sha256, sha256.slice(0, 8), sha256.toUpperCase()]) {
      expect(await verify(path, '--sha256', digits)).toMatchObject({ code: 0, out: expect.stringContaining(sha256) });
    }
    const other = await verify(path, '--sha256', '01234567');
    expect(other).toMatchObject({ code: 1, out: expect.stringMatching(/FAIL {2}sha256 .*, expected 01234567\n/) });
    expect(await verify(path, '--sha256', 'abc')).toMatchObject({ code: 2, err: expect.stringContaining('8 to 64') });
  });

  it('compares with another file, of whatever format', async () => {
    await using folder = await Folder.make();
    const tensors = { a: floats(1, 2), b: floats(3), c: floats(4) };
    const path = await folder.tensors('a.safetensors', tensors);
    const copy = await folder.file('a.pth');
    await saccade(['weights', 'convert', path, copy]);
    expect(await verify(path, '--against', copy)).toMatchObject({
      code: 0,
      out: expect.stringContaining('equal, bit for bit'),
    });

    const other = await folder.tensors('b.safetensors', {
      a: floats(1, 2.002),
      b: { dtype: 'float16', shape: [1], data: Float32Array.of(3) },
      d: { ...floats(1), shape: [1, 1] },
    });
    const { code, out } = await verify(path, '--against', other);
    expect(code).toBe(1);
    expect(out).toMatch(
      /FAIL {2}against {4}4 differ: d \(missing\), c \(only here\), a \(bytes\), b \(dtype float32, other float16\)\n/,
    );
    const near = await verify(path, '--against', other, '--tolerance', '1e-4');
    expect(near.out).toMatch(/3 differ: d \(missing\), c \(only here\), a \(by 0\.000999\)\n/);
    const { c, ...fewer } = tensors;
    const close = await folder.tensors('c.safetensors', { ...fewer, a: floats(1, 2.002) });
    const part = await folder.tensors('d.safetensors', fewer);
    expect(await verify(part, '--against', close, '--tolerance', '1e-2')).toMatchObject({
      code: 0,
      out: expect.stringContaining('2 tensors are equal within 0.01'),
    });
    expect(await verify(path, '--tolerance', '1')).toMatchObject({
      code: 2,
      err: expect.stringContaining('about --against'),
    });
    const shapes = await folder.tensors('e.safetensors', { ...tensors, c: { ...floats(4), shape: [1, 1] } });
    expect((await verify(path, '--against', shapes)).out).toContain('c (shape [1], other [1,1])');
  });
});
