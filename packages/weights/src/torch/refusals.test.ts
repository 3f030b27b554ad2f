import { describe, expect, it } from 'vitest';
import { latin1 } from '../testing/bytes.ts';
import {
  global,
  int,
  pickleOf,
  program,
  stateOf,
  storage,
  string,
  tensor,
  torchZip,
  tuple,
} from '../testing/pickleBuilder.ts';
import { keyList, legacyData, legacyOf, legacyStorage, torchErrorOf } from '../testing/torchBuilder.ts';
import { torchFixture } from '../testing/torchFixtures.ts';
import { joined, zipOf } from '../testing/zipBuilder.ts';
import { TorchFileError, type TorchFileErrorCode } from './errors.ts';
import { openTorch, parseTorch } from './openTorch.ts';

/** Opens the file and reads every tensor. */
const readAll = (file: Uint8Array) => parseTorch(file).stateDict().toStateDict();

const FOUR = new Uint8Array(16);
const WHOLE = tensor(storage('0', 4), int(0), tuple(int(2), int(2)), tuple(int(2), int(1)));
const VALID = torchZip(stateOf(WHOLE), { 0: FOUR });

describe('storages and tensors that contradict each other', () => {
  const view = (offset: number, shape: number[], stride: number[]) =>
    torchZip(stateOf(tensor(storage('0', 4), int(offset), tuple(...shape.map(int)), tuple(...stride.map(int)))), {
      0: FOUR,
    });

  it('lets views inside the storage through', () => {
    for (const file of [
      VALID,
      view(3, [1], [1]),
      view(0, [2, 2], [1, 2]),
      view(0, [2], [3]),
      view(4, [0], [1]),
      view(0, [0, 9], [9, 1]),
    ]) {
      expect(readAll(file).size).toBe(1);
    }
  });

  it.each<[string, TorchFileErrorCode, Uint8Array]>([
    ['one element too many', 'InvalidCheckpoint', view(0, [5], [1])],
    ['an offset at the end', 'InvalidCheckpoint', view(4, [1], [1])],
    ['a stride beyond the end', 'InvalidCheckpoint', view(0, [2], [4])],
    ['an offset and a stride beyond the end', 'InvalidCheckpoint', view(2, [2, 2], [2, 1])],
    ['a size near 2^31', 'InvalidCheckpoint', view(0, [2 ** 31 - 1, 2 ** 31 - 1, 2 ** 31 - 1], [1, 1, 1])],
    ['a product of sizes beyond 2^53', 'InvalidCheckpoint', view(0, [2 ** 31 - 1, 2 ** 31 - 1], [0, 0])],
    ['an expanded bomb (stride 0)', 'TooLarge', view(0, [2 ** 31 - 1, 1000], [0, 0])],
    [
      'a storage larger than its entry',
      'InvalidCheckpoint',
      torchZip(stateOf(tensor(storage('0', 5), int(0), 'EMPTY_TUPLE', 'EMPTY_TUPLE')), { 0: FOUR }),
    ],
    [
      'a storage that is not there',
      'InvalidCheckpoint',
      torchZip(stateOf(tensor(storage('7', 4), int(0), 'EMPTY_TUPLE', 'EMPTY_TUPLE')), { 0: FOUR }),
    ],
    [
      'a storage outside of its folder',
      'InvalidCheckpoint',
      torchZip(stateOf(tensor(storage('../data.pkl', 4), int(0), 'EMPTY_TUPLE', 'EMPTY_TUPLE')), { 0: FOUR }),
    ],
    [
      'a negation still to be done',
      'UnsupportedTensor',
      torchZip(
        stateOf(
          tensor(
            storage('0', 4),
            int(0),
            'EMPTY_TUPLE',
            'EMPTY_TUPLE',
            program('EMPTY_DICT', string('neg'), 'NEWTRUE', 'SETITEM'),
          ),
        ),
        { 0: FOUR },
      ),
    ],
  ])('%s: %s', (_, code, file) => {
    const error = torchErrorOf(() => readAll(file));
    expect(error.code, error.message).toBe(code);
  });

  it('bounds what many views of one storage take together', () => {
    const megabyte = new Uint8Array(2 ** 20);
    const views = Array.from({ length: 300 }, (_, i) => {
      const one = tensor(storage('0', 2 ** 18), int(i), tuple(int(2 ** 18 - 300)), tuple(int(1)));
      return program(string(`w${i}`), one, 'SETITEM');
    });
    const state = parseTorch(torchZip(pickleOf('EMPTY_DICT', ...views), { 0: megabyte })).stateDict();
    expect(state.get('w299').data.length).toBe(2 ** 18 - 300);
    expect(torchErrorOf(() => state.toStateDict()).code).toBe('TooLarge');
  });

  it('reads what newer versions of PyTorch write', () => {
    const rebuild = global('torch._utils', '_rebuild_tensor_v3');
    const untyped = storage('0', 16, global('torch.storage', 'UntypedStorage'));
    const hooks = program(global('collections', 'OrderedDict'), 'EMPTY_TUPLE', 'REDUCE');
    const uint16 = program(
      rebuild,
      tuple(untyped, int(1), tuple(int(2)), tuple(int(3)), 'NEWFALSE', hooks, global('torch', 'uint16')),
      'REDUCE',
    );
    const data = Uint8Array.from({ length: 16 }, (_, i) => i);
    expect(readAll(torchZip(stateOf(uint16), { 0: data })).get('w')).toEqual({
      dtype: 'uint16',
      shape: [2],
      data: Uint16Array.of(0x0302, 0x0908),
    });
    const more = [
      { name: 'archive/.format_version', bytes: latin1('1') },
      { name: 'archive/byteorder', bytes: latin1('big') },
    ];
    expect(readAll(torchZip(stateOf(uint16), { 0: data }, more)).get('w')?.data).toEqual(
      Uint16Array.of(0x0203, 0x0809),
    );
    const tooFar = program(
      rebuild,
      tuple(untyped, int(7), tuple(int(2)), tuple(int(1)), 'NEWFALSE', hooks, global('torch', 'uint16')),
      'REDUCE',
    );
    expect(torchErrorOf(() => readAll(torchZip(stateOf(tooFar), { 0: data }))).code).toBe('InvalidCheckpoint');
  });

  it('reads the parameters of PyTorch 0.2, which were given a state', () => {
    const old = program(
      global('torch.nn.parameter', 'Parameter'),
      tuple(WHOLE),
      'REDUCE',
      tuple('NEWTRUE', 'NEWFALSE', 'NONE'),
      'BUILD',
    );
    expect(readAll(torchZip(stateOf(old), { 0: FOUR })).get('w')?.shape).toEqual([2, 2]);
  });
});

describe('archives', () => {
  const pickle = { name: 'archive/data.pkl', bytes: stateOf(WHOLE) };
  const data = { name: 'archive/data/0', bytes: FOUR };
  it.each<[string, TorchFileErrorCode, Uint8Array]>([
    [
      'another name in the entry itself',
      'HeaderMismatch',
      zipOf([{ ...pickle, local: { name: 'archive/data.txt' } }, data]),
    ],
    ['another name for a storage', 'HeaderMismatch', zipOf([pickle, { ...data, local: { name: 'archive/data/1' } }])],
    [
      'a pickle that was altered',
      'ChecksumMismatch',
      zipOf([{ ...pickle, local: { crc: 1 }, central: { crc: 1 } }, data]),
    ],
    [
      'compressed entries (a bomb)',
      'UnsupportedFormat',
      zipOf([pickle, { name: 'archive/data/0', bytes: new Uint8Array(10_000_000), deflate: true }]),
    ],
    ['a compressed pickle', 'UnsupportedFormat', zipOf([{ ...pickle, deflate: true }, data])],
    ['two pickles', 'InvalidZip', zipOf([pickle, data, pickle])],
    [
      'overlapping storages',
      'InvalidZip',
      zipOf([pickle, data, { name: 'archive/data/1', bytes: FOUR, central: { offset: 200 } }]),
    ],
    ['a path upwards', 'UnsafeName', zipOf([pickle, data, { name: 'archive/../../x' }])],
    ['a file beside the folder', 'InvalidCheckpoint', zipOf([pickle, data, { name: 'other/data.pkl' }])],
    ['no pickle', 'NotTorch', zipOf([data])],
    ['a pickle without folder', 'NotTorch', zipOf([{ ...pickle, name: 'data.pkl' }])],
    ['a program (TorchScript)', 'TorchScript', zipOf([pickle, { name: 'archive/constants.pkl' }])],
    ['code', 'TorchScript', zipOf([pickle, { name: 'archive/code/__torch__.py' }])],
    [
      'a version of the future',
      'UnsupportedFormat',
      zipOf([pickle, data, { name: 'archive/version', bytes: latin1('99\n') }]),
    ],
    [
      'a version that is text',
      'UnsupportedFormat',
      zipOf([pickle, data, { name: 'archive/version', bytes: latin1('new') }]),
    ],
    [
      'a version of 100 bytes',
      'UnsupportedFormat',
      zipOf([pickle, data, { name: 'archive/version', bytes: new Uint8Array(100) }]),
    ],
    [
      'an unknown byte order',
      'InvalidCheckpoint',
      zipOf([pickle, data, { name: 'archive/byteorder', bytes: latin1('middle') }]),
    ],
    [
      'bytes behind the pickle',
      'InvalidCheckpoint',
      zipOf([{ ...pickle, bytes: joined(pickle.bytes, pickleOf(global('os', 'system'))) }, data]),
    ],
    ['no file at all', 'NotTorch', zipOf([])],
  ])('with %s: %s', (_, code, file) => {
    const error = torchErrorOf(() => readAll(file));
    expect(error.code, error.message).toBe(code);
  });

  it('an altered storage is found by verify()', async () => {
    const file = VALID.slice();
    file[file.indexOf(0, file.length - 300)] = 0;
    const at = Buffer.from(file).indexOf('archive/data/0') + 'archive/data/0'.length;
    file[at + 3]! ^= 1;
    expect(readAll(file).size).toBe(1);
    expect(torchErrorOf(() => parseTorch(file).verify()).code).toBe('ChecksumMismatch');
    await expect((await openTorch(file)).verify()).rejects.toThrow(TorchFileError);
  });
});

describe('legacy streams', () => {
  const one = tensor(legacyStorage('k', 4), int(0), tuple(int(4)), tuple(int(1)));
  const part = tuple(string('p'), int(1), int(2));
  const partOf = (described: Uint8Array) =>
    tensor(legacyStorage('k', 4, described), int(0), tuple(int(2)), tuple(int(1)));

  it('of PyTorch before 0.4, with storages that are parts of others, opens', () => {
    const dict = pickleOf('EMPTY_DICT', string('a'), one, 'SETITEM', string('b'), partOf(part), 'SETITEM');
    const file = legacyOf(dict, keyList('k'), legacyData(4));
    new DataView(file.buffer).setFloat32(file.length - 8, 2, true);
    const state = readAll(file);
    expect(state.get('a')?.data).toEqual(Float32Array.of(0, 0, 2, 0));
    expect(state.get('b')?.data).toEqual(Float32Array.of(0, 2));
    expect(() => parseTorch(file).verify()).not.toThrow();
  });

  it.each<[string, TorchFileErrorCode, Uint8Array]>([
    ['bytes behind it', 'InvalidCheckpoint', legacyOf(stateOf(one), keyList('k'), legacyData(4), latin1('x'))],
    ['too few bytes', 'InvalidCheckpoint', legacyOf(stateOf(one), keyList('k'), legacyData(3))],
    [
      'another number of elements in the storage',
      'InvalidCheckpoint',
      legacyOf(stateOf(one), keyList('k'), legacyData(4, 5)),
    ],
    [
      'a storage that nobody uses',
      'InvalidCheckpoint',
      legacyOf(stateOf(one), keyList('k', 'z'), legacyData(4), legacyData(4)),
    ],
    ['a storage twice', 'InvalidCheckpoint', legacyOf(stateOf(one), keyList('k', 'k'), legacyData(4), legacyData(4))],
    ['a storage that is missing', 'InvalidCheckpoint', legacyOf(stateOf(one), keyList())],
    ['keys that are no list', 'InvalidCheckpoint', legacyOf(stateOf(one), pickleOf(int(3)))],
    ['keys that are numbers', 'InvalidPickle', legacyOf(stateOf(one), pickleOf('EMPTY_LIST', int(3), 'APPEND'))],
    [
      'a storage described in two ways',
      'InvalidCheckpoint',
      legacyOf(pickleOf(tuple(legacyStorage('k', 4), legacyStorage('k', 5))), keyList('k'), legacyData(4)),
    ],
    [
      'a part beyond the storage',
      'InvalidCheckpoint',
      legacyOf(stateOf(partOf(tuple(string('p'), int(3), int(2)))), keyList('k'), legacyData(4)),
    ],
    ['a part that is a number', 'InvalidPickle', legacyOf(stateOf(partOf(int(3))), keyList('k'), legacyData(4))],
    [
      'a part of a storage in the list of storages',
      'InvalidCheckpoint',
      legacyOf(stateOf(partOf(part)), keyList('k', 'p'), legacyData(4), legacyData(2)),
    ],
    [
      'another protocol',
      'UnsupportedFormat',
      joined(
        pickleOf(Uint8Array.of(0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19)),
        pickleOf(int(1002)),
        pickleOf('EMPTY_DICT'),
      ),
    ],
    [
      'a class in its beginning',
      'InvalidPickle',
      joined(
        pickleOf(Uint8Array.of(0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19)),
        pickleOf(global('os', 'system')),
      ),
    ],
    [
      'a whole module',
      'RefusedGlobal',
      legacyOf(pickleOf(tuple(string('module'), global('__main__', 'Net'), 'NONE', 'NONE'), 'BINPERSID'), keyList()),
    ],
  ])('with %s: %s', (_, code, file) => {
    const error = torchErrorOf(() => readAll(file));
    expect(error.code, error.message).toBe(code);
  });

  it('with pickles of several hundred kB is read in steps', async () => {
    const tensors = Array.from({ length: 3000 }, (_, i) =>
      program(string(`layer.${i}`.padEnd(100, 'x')), one, 'SETITEM'),
    );
    const file = legacyOf(pickleOf('EMPTY_DICT', ...tensors), keyList('k'), legacyData(4));
    expect(file.length).toBeGreaterThan(2 ** 19);
    const reads: number[] = [];
    const lazy = await openTorch({
      size: file.length,
      read: async (start, end) => {
        reads.push(end - start);
        return file.slice(start, end);
      },
    });
    expect(lazy.stateDict().names).toHaveLength(3000);
    expect(reads.length).toBeLessThan(5);
  });
});

describe('other files', () => {
  const tar = new Uint8Array(1024);
  tar.set(latin1('storages'));
  tar.set(latin1('ustar'), 257);
  it.each<[string, TorchFileErrorCode, RegExp, Uint8Array]>([
    ['nothing', 'NotTorch', /empty/, new Uint8Array(0)],
    ['a checkpoint of PyTorch 0.1 (tar)', 'UnsupportedFormat', /before version 0\.1\.10.*save it again/, tar],
    ['a web page', 'NotTorch', /web page/, latin1('<!DOCTYPE html><html>')],
    [
      'a pointer of Git LFS',
      'NotTorch',
      /git lfs pull/,
      latin1('version https://git-lfs.github.com/spec/v1\noid sha256:'),
    ],
    ['gzip', 'NotTorch', /gunzip/, Uint8Array.of(0x1f, 0x8b, 8, 0)],
    ['HDF5', 'NotTorch', /Keras/, latin1('\x89HDF\r\n\x1a\n')],
    ['a pickle of protocol 4', 'NotTorch', /protocol 4/, Uint8Array.of(0x80, 4, 0x4e, 0x2e)],
    ['noise', 'NotTorch', /first bytes/, Uint8Array.of(7, 7, 7, 7)],
  ])('%s: %s', async (_, code, message, file) => {
    const error = torchErrorOf(() => parseTorch(file));
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
    await expect(openTorch(file)).rejects.toThrow(error.message);
  });

  it('are not taken for memory', async () => {
    expect(torchErrorOf(() => parseTorch('model.pth' as never)).code).toBe('InvalidArgument');
    await expect(openTorch('model.pth' as never)).rejects.toThrow(TorchFileError);
    const failing = openTorch({ size: 1000, read: () => Promise.reject(new Error('disk on fire')) });
    await expect(failing).rejects.toThrow(/IoError.*disk on fire/);
  });
});

describe.each(['views.pth', 'views.legacy.pth', 'training.pth'])('%s', (name) => {
  const whole = torchFixture(name);

  it('cut anywhere is refused', () => {
    const step = Math.ceil(whole.length / 500);
    for (let length = 0; length < whole.length; length += step)
      torchErrorOf(() => parseTorch(whole.subarray(0, length)));
    for (let length = whole.length - 50; length < whole.length; length++)
      torchErrorOf(() => parseTorch(whole.subarray(0, length)));
  });
});
