import { describe, expect, it } from 'vitest';
import type { ByteSource } from '../source/byteSource.ts';
import { expectedState, expectedTensors, torchFixture } from '../testing/torchFixtures.ts';
import { TorchFileError } from './errors.ts';
import type { NumpyArray } from './numpyObjects.ts';
import { Namespace, type TorchConstant, type TorchDtype, TorchTensor } from './objects.ts';
import { openTorch, parseTorch } from './openTorch.ts';

const READ = [
  ...['dtypes', 'views', 'training', 'quantised'].flatMap((name) => [`${name}.pth`, `${name}.legacy.pth`]),
  ...['state_dict_ema', 'model_ema', 'state_dict', 'model_state', 'nested'].map((name) => `container_${name}.pth`),
];
/** Types that JavaScript has no array for. */
const OPAQUE = ['complex64', 'complex128', 'quint8', 'qint8'];

describe.each(READ)('%s, written by PyTorch', (file) => {
  const bytes = torchFixture(file);
  const expected = expectedTensors(file);

  it('has the tensors that PyTorch put into it', () => {
    const state = parseTorch(bytes).stateDict();
    expect(expected.length).toBeGreaterThan(0);
    expect([...state.names].sort()).toEqual(expected.map(({ name }) => name).sort());
  });

  it.each(expected)('$name is bit-exact', ({ name, dtype, shape, bytes: elements }) => {
    const checkpoint = parseTorch(bytes);
    const state = checkpoint.stateDict();
    const info = state.info(name);
    expect(Buffer.compare(state.bytes(name), elements)).toBe(0);
    expect(info.byteLength).toBe(elements.length);
    if (OPAQUE.includes(info.dtype)) {
      expect(() => state.get(name)).toThrow(TorchFileError);
      return;
    }
    expect(info).toMatchObject({ dtype, shape });
    expect(state.get(name)).toEqual(expectedState(file, name));
  });

  it('gives the same from a Blob, reading only what is needed', async () => {
    const whole = parseTorch(bytes).stateDict();
    let read = 0;
    const source: ByteSource = {
      size: bytes.length,
      read: async (start, end) => {
        read += end - start;
        return bytes.slice(start, end);
      },
    };
    const lazy = (await openTorch(source)).stateDict();
    expect(lazy.names).toEqual(whole.names);
    const opened = read;
    for (const name of lazy.names) expect(Buffer.compare(await lazy.bytes(name), whole.bytes(name))).toBe(0);
    const fromBlob = (await openTorch(new Blob([bytes]))).stateDict();
    expect(fromBlob.names).toEqual(whole.names);
    // Of a storage, the elements between the first and the last of a view; and the header in front of it.
    const again = read;
    await lazy.bytes(lazy.names[0]!);
    expect(read - again).toBeLessThanOrEqual(whole.info(lazy.names[0]!).byteLength * 12);
    expect(opened).toBeGreaterThan(0);
  });

  it('stands the check of its checksums', async () => {
    parseTorch(bytes).verify();
    await (await openTorch(bytes)).verify();
  });
});

describe('what lies beside the weights', () => {
  it.each(['training.pth', 'training.legacy.pth'])('%s', (file) => {
    const checkpoint = parseTorch(torchFixture(file));
    const root = checkpoint.root as Map<string, unknown>;
    expect(checkpoint.container).toBe(file.includes('legacy') ? 'legacy' : 'zip');
    const at = (key: string) => root.get(key);
    expect(['epoch', 'arch', 'best_acc1', 'big', 'negative', 'loss', 'step', 'flag', 'size'].map(at)).toEqual([
      300,
      'résnet',
      76.13,
      2n ** 70n,
      -(2 ** 40),
      0.25,
      2 ** 40,
      true,
      [2, 3],
    ]);
    expect(at('args')).toBeInstanceOf(Namespace);
    expect((at('args') as Namespace).values).toEqual(
      new Map<string, unknown>([
        ['lr', 1e-3],
        ['data', '/data/imagenet'],
        ['crop', [224, 224]],
        ['resume', null],
        ['amp', true],
      ]),
    );
    expect((at('history') as NumpyArray).toTensor()).toEqual({
      dtype: 'float32',
      shape: [2, 3],
      data: Float32Array.of(0, 1, 2, 3, 4, 5),
    });
    expect((at('column_major') as NumpyArray).toTensor().data).toEqual(Int16Array.of(0, 1, 2, 3, 4, 5));
    expect((at('other_endian') as NumpyArray).toTensor().data).toEqual(Int32Array.of(0, 1, 2));
    expect(at('classes')).toEqual(new Set(['cat', 'dog']));
    expect(at('mixed')).toEqual([null, true, [1, 2.5], new Map([[3, 'three']]), [], [], new Map()]);
    expect((at('device') as TorchConstant).typeName).toBe('torch.device("cuda", 1)');
    expect((at('dtype') as TorchDtype).type.dtype).toBe('bfloat16');
    expect((at('layout') as TorchConstant).typeName).toBe('torch.layout("torch.strided")');
    const milestones = (at('lr_scheduler') as Map<string, unknown>).get('milestones');
    expect(milestones).toEqual(
      new Map([
        [2, 1],
        [4, 1],
      ]),
    );
    const moments = (at('optimizer') as Map<string, Map<number, Map<string, TorchTensor>>>).get('state')!.get(0)!;
    expect(checkpoint.read(moments.get('exp_avg')!).shape).toEqual([4, 3, 3, 3]);
    const state = checkpoint.stateDict();
    expect(state.path).toEqual(['model']);
    expect(Object.fromEntries(state.metadata)).toMatchObject({ epoch: '300', arch: 'résnet', loss: '0.25' });
  });

  it('finds the state dict by an explicit key', () => {
    const checkpoint = parseTorch(torchFixture('container_state_dict_ema.pth'));
    expect(checkpoint.stateDict().path).toEqual(['state_dict_ema']);
    expect(checkpoint.stateDict({ key: 'state_dict' }).get('a.weight').data).toEqual(Float32Array.of(11));
    const training = parseTorch(torchFixture('training.pth'));
    expect(training.stateDict({ key: ['model'], stripPrefixes: false }).names[0]).toBe('module.conv.weight');
    expect(training.stateDict({ key: [] }).names).toEqual(['rng']);
  });

  it('shares the data of tied tensors', () => {
    for (const file of ['views.pth', 'views.legacy.pth']) {
      const state = parseTorch(torchFixture(file)).stateDict();
      const tensors = state.toStateDict();
      expect(tensors.get('tied.a')).toBe(tensors.get('tied.b'));
      expect(state.info('tied.a').storageKey).toBe(state.info('tied.part').storageKey);
      expect(tensors.get('sliced')?.data).not.toBe(tensors.get('stepped')?.data);
    }
  });

  it('says where tensors are when it does not find them', () => {
    const codeAndText = (run: () => unknown) => {
      try {
        run();
      } catch (error) {
        if (error instanceof TorchFileError) return error.message;
      }
      return 'nothing thrown';
    };
    expect(codeAndText(() => parseTorch(torchFixture('container_two_parts.pth')).stateDict())).toMatch(
      /^NoStateDict: .*"generator", "discriminator".*\{ key \}/,
    );
    expect(codeAndText(() => parseTorch(torchFixture('no_tensors.pth')).stateDict())).toMatch(/^NoStateDict/);
    expect(codeAndText(() => parseTorch(torchFixture('single_tensor.pth')).stateDict())).toMatch(/single tensor.*root/);
    const { root } = parseTorch(torchFixture('single_tensor.legacy.pth'));
    expect(root).toBeInstanceOf(TorchTensor);
    expect(codeAndText(() => parseTorch(torchFixture('views.pth')).stateDict().get('slice'))).toMatch(
      /^TensorNotFound: .*"sliced"/,
    );
  });
});

describe('what PyTorch writes and this reader refuses', () => {
  it.each([
    [
      'whole_module.pth',
      'RefusedGlobal',
      /torch\.nn\.modules\.container\.Sequential.*no unsafe mode.*model\.state_dict\(\)/s,
    ],
    ['whole_module.legacy.pth', 'RefusedGlobal', /torch\.nn\.modules\.container\.Sequential/],
    ['torchscript.pt', 'TorchScript', /torch\.jit\.load/],
    ['sparse.pth', 'UnsupportedTensor', /to_dense/],
    ['protocol_4.pth', 'RefusedOpcode', /protocol 4.*pickle_protocol/],
    ['plain_pickle.pkl', 'NotTorch', /plain pickle/],
    ['arrays.npz', 'NotTorch', /NumPy archive/],
    ['expected.safetensors', 'NotTorch', /safetensors/],
  ])('%s: %s', (file, code, message) => {
    let caught: unknown;
    try {
      parseTorch(torchFixture(file));
    } catch (error) {
      caught = error;
    }
    expect(caught).toBeInstanceOf(TorchFileError);
    expect((caught as TorchFileError).code).toBe(code);
    expect((caught as TorchFileError).message).toMatch(message);
  });
});
