import { describe, expect, it, vi } from 'vitest';
import type { ByteSource } from '../source/byteSource.ts';
import { expectAsWritten, fixtureBytes } from '../testing/expectations.ts';
import { npyOf } from '../testing/npyBuilder.ts';
import { rejection } from '../testing/rejection.ts';
import { NumpyFileError, type NumpyFileErrorCode } from './errors.ts';
import { openNumpy } from './openNumpy.ts';

const npz = (name: string) => fixtureBytes(`numpy/${name}`);

/** A source that counts what is read of it. */
function counting(bytes: Uint8Array): ByteSource & { total: number; reads: number } {
  return {
    size: bytes.length,
    total: 0,
    reads: 0,
    async read(start, end) {
      this.total += end - start;
      this.reads++;
      return bytes.slice(start, end);
    },
  };
}

describe('files written by NumPy', () => {
  it.each([
    'stored.npz',
    'deflated.npz',
    'streamed.npz',
    'mixed.npz',
    'version_1.npy',
    'version_2.npy',
    'version_3.npy',
  ])('%s is read bit-exactly', async (name) => {
    const file = await openNumpy(npz(name));
    expect(file.format).toBe(name.slice(-3));
    await expectAsWritten(file, 'numpy', name, ['zeros']);
  });

  it('the one array of an .npy file is arr_0', async () => {
    const file = await openNumpy(npz('version_1.npy'));
    expect(file.names).toEqual(['arr_0']);
    expect(file.info('arr_0')).toEqual({ dtype: 'float64', shape: [2, 3, 4], byteLength: 192 });
    // Written big-endian and in Fortran order: 0 to 23 in the order of the last axis first.
    expect((await file.get('arr_0')).data).toEqual(Float64Array.from({ length: 24 }, (_, i) => i));
  });

  it('an array that shrank a hundredfold', async () => {
    const file = await openNumpy(npz('deflated.npz'));
    expect((await file.get('zeros')).data).toEqual(new Float32Array(20_000));
  });

  it('complex numbers are listed, and their bytes are there', async () => {
    const file = await openNumpy(npz('stored.npz'));
    expect(file.info('c16')).toEqual({ dtype: 'complex128', shape: [2], byteLength: 32 });
    expect((await rejection(file.get('c16'), NumpyFileError)).code).toBe('UnsupportedDtype');
    expect((await rejection(file.toStateDict(), NumpyFileError)).code).toBe('UnsupportedDtype');
    expect(await file.bytes('big_c16')).toEqual(await file.bytes('c16'));
  });

  it('lists what it does not read, and says why', async () => {
    const file = await openNumpy(npz('mixed.npz'));
    expect(file.names).toEqual(['good']);
    expect([...file.ignored].sort()).toEqual(
      ['bytes', 'dates', 'long_double', 'objects', 'records', 'spans', 'text', 'void'].sort(),
    );
    expect(file.has('objects')).toBe(false);
    expect(() => file.info('objects')).toThrow(/pickle/);
    expect((await rejection(file.get('objects'), NumpyFileError)).code).toBe('UnsupportedDtype');
    expect([...(await file.toStateDict()).keys()]).toEqual(['good']);
  });

  it.each([
    ['objects', /pickle, which is a program.*np\.asarray/],
    ['records', /records.*np\.savez/],
    ['text', /text/],
    ['bytes', /text/],
    ['dates', /dates.*astype/],
    ['spans', /time.*astype/],
    ['void', /bfloat16.*astype\(np\.float32\)/],
    ['long_double', /"<f16" is not known.*astype/],
  ])('refused_%s.npy is refused with a way out', async (name, message) => {
    const error = await rejection(openNumpy(npz(`refused_${name}.npy`)), NumpyFileError);
    expect(error.code).toBe('UnsupportedDtype');
    expect(error.message).toMatch(message);
  });
});

describe('laziness', () => {
  it('opening reads the directory and the headers', async () => {
    const bytes = npz('deflated.npz');
    const source = counting(bytes);
    const file = await openNumpy(source);
    const opened = source.total;
    // This small archive fits into one read ahead.
    expect(source.reads).toBeLessThan(6);
    await file.get('random');
    expect(source.total - opened).toBeLessThan(2100);
    expect(source.total - opened).toBeGreaterThan(1500);
  });

  it('of a large array only the header is read', async () => {
    const head = npyOf("{'descr': '<f4', 'fortran_order': False, 'shape': (250000000,), }", 0);
    const whole: ByteSource = {
      size: head.length + 1e9,
      read: async (start, end) => {
        expect(end).toBeLessThan(300);
        const out = new Uint8Array(end - start);
        out.set(head.subarray(start, end));
        return out;
      },
    };
    expect((await openNumpy(whole)).info('arr_0').byteLength).toBe(1e9);
  });
});

describe('faults around the file', () => {
  it.each<[string, NumpyFileErrorCode, Uint8Array]>([
    ['nothing', 'NotNumpy', new Uint8Array(0)],
    ['something else', 'NotNumpy', new TextEncoder().encode('hello, world')],
  ])('%s: %s', async (_, code, bytes) => {
    expect((await rejection(openNumpy(bytes), NumpyFileError)).code).toBe(code);
  });

  it('a wrong name gets near ones', async () => {
    const file = await openNumpy(npz('stored.npz'));
    const error = await rejection(file.get('encoder/layer.0/weights'), NumpyFileError);
    expect(error.code).toBe('TensorNotFound');
    expect(error.nearNames).toContain('encoder/layer.0/weight');
  });

  it('a wrong argument, a failing source, an abort', async () => {
    expect((await rejection(openNumpy('a.npz' as never), NumpyFileError)).code).toBe('InvalidArgument');
    const failing = { size: 1000, read: () => Promise.reject(new Error('disk on fire')) };
    expect((await rejection(openNumpy(failing), NumpyFileError)).message).toMatch(/IoError.*disk on fire/);
    const aborted = { size: 1000, read: () => Promise.reject(new DOMException('enough', 'AbortError')) };
    await expect(openNumpy(aborted)).rejects.toThrow(DOMException);
  });

  it('a source that fails while an entry is unpacked', async () => {
    const bytes = npz('deflated.npz');
    let failing = false;
    const file = await openNumpy({
      size: bytes.length,
      read: async (start, end) => {
        if (failing) throw new Error('cable cut');
        return bytes.slice(start, end);
      },
    });
    failing = true;
    const error = await rejection(file.get('random'), NumpyFileError);
    expect(error.message).toMatch(/IoError.*cable cut/);
  });

  it('a platform that cannot unpack', async () => {
    vi.stubGlobal('DecompressionStream', undefined);
    try {
      const error = await rejection(openNumpy(npz('deflated.npz')), NumpyFileError);
      expect(error.message).toMatch(/UnsupportedZip.*np\.savez\(path/);
      expect((await openNumpy(npz('stored.npz'))).names.length).toBeGreaterThan(0);
    } finally {
      vi.unstubAllGlobals();
    }
  });

  it('toStateDict stops when asked to', async () => {
    const file = await openNumpy(npz('mixed.npz'));
    const stopped = AbortSignal.abort(new Error('stop'));
    await expect(file.toStateDict({ signal: stopped })).rejects.toThrow('stop');
    const seen: number[] = [];
    await file.toStateDict({ onProgress: ({ done, total }) => seen.push(done / total) });
    expect(seen).toEqual([1]);
  });
});
