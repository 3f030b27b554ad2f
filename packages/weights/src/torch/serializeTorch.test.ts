import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseSafetensors } from '../safetensors/parse.ts';
import type { StateTensor } from '../stateTensor.ts';
import { pythonWithTorch } from '../testing/python.ts';
import { torchFixture } from '../testing/torchFixtures.ts';
import { TorchFileError } from './errors.ts';
import { parseTorch } from './openTorch.ts';
import { serializeTorch } from './serializeTorch.ts';

const tied = Float32Array.of(1, 2, 3, 4, 5, 6);
const TENSORS = new Map<string, StateTensor>([
  ['float64', { dtype: 'float64', shape: [2], data: Float64Array.of(-0.1, 5e-324) }],
  ['float32', { dtype: 'float32', shape: [2, 2], data: Float32Array.of(0.1, -1e-45, Number.NaN, -Infinity) }],
  ['float16', { dtype: 'float16', shape: [3], data: Float32Array.of(1, -(2 ** -24), 65504) }],
  ['bfloat16', { dtype: 'bfloat16', shape: [1, 2], data: Float32Array.of(1.0078125, -(2 ** 100)) }],
  ['int64', { dtype: 'int64', shape: [2], data: BigInt64Array.of(-(2n ** 63n), 2n ** 63n - 1n) }],
  ['int32', { dtype: 'int32', shape: [1], data: Int32Array.of(-(2 ** 31)) }],
  ['int16', { dtype: 'int16', shape: [1], data: Int16Array.of(-(2 ** 15)) }],
  ['int8', { dtype: 'int8', shape: [2], data: Int8Array.of(-128, 127) }],
  ['uint8', { dtype: 'uint8', shape: [3], data: Uint8Array.of(0, 1, 255) }],
  ['bool', { dtype: 'bool', shape: [3], data: Uint8Array.of(1, 0, 1) }],
  ['scalar', { dtype: 'float32', shape: [], data: Float32Array.of(7) }],
  ['empty', { dtype: 'float32', shape: [2, 0, 3], data: new Float32Array(0) }],
  ['tied.a', { dtype: 'float32', shape: [2, 3], data: tied }],
  ['tied.b', { dtype: 'float32', shape: [6], data: tied }],
  ['naïve "name" \u{1f600}', { dtype: 'float32', shape: [300], data: Float32Array.from({ length: 300 }, (_, i) => i) }],
]);

describe('serializeTorch', () => {
  it('writes what parseTorch reads', () => {
    const file = serializeTorch(TENSORS);
    const checkpoint = parseTorch(file);
    checkpoint.verify();
    const state = checkpoint.stateDict();
    expect(state.names).toEqual([...TENSORS.keys()]);
    for (const [name, tensor] of TENSORS) expect(state.get(name)).toEqual(tensor);
    expect(state.info('tied.a').storageKey).toBe(state.info('tied.b').storageKey);
    expect(state.info('scalar').storageKey).not.toBe(state.info('float32').storageKey);
  });

  it('writes the same bytes for the same tensors, aligned as PyTorch aligns', () => {
    const file = serializeTorch(TENSORS);
    expect(Buffer.compare(file, serializeTorch(Object.fromEntries(TENSORS)))).toBe(0);
    const { data } = parseTorch(file).stateDict().get('float64');
    // A view into the file, at a multiple of 64 bytes.
    expect(data.buffer).toBe(file.buffer);
    expect(data.byteOffset % 64).toBe(0);
  });

  it('writes files of PyTorch again, tied weights tied', () => {
    for (const name of ['training.pth', 'views.legacy.pth']) {
      const before = parseTorch(torchFixture(name)).stateDict();
      const after = parseTorch(serializeTorch(before.toStateDict())).stateDict();
      expect(after.names).toEqual(before.names);
      for (const tensor of before.names) {
        expect(Buffer.compare(after.bytes(tensor), before.bytes(tensor))).toBe(0);
        expect(after.info(tensor).shape).toEqual(before.info(tensor).shape);
      }
    }
  });

  it('holds no tensor, or ten thousand', () => {
    expect(() => parseTorch(serializeTorch({})).stateDict()).toThrow(/NoStateDict/);
    const many = new Map<string, StateTensor>();
    for (let i = 0; i < 70_000; i++)
      many.set(`layer.${i}`, { dtype: 'uint8', shape: [1], data: Uint8Array.of(i & 255) });
    const state = parseTorch(serializeTorch(many)).stateDict();
    expect(state.names.length).toBe(70_000);
    expect(state.get('layer.69999').data).toEqual(Uint8Array.of(69_999 & 255));
  });

  it.each<[string, string, unknown]>([
    ['a float8', 'InvalidTensorView', { a: { dtype: 'float8_e5m2', shape: [1], data: Float32Array.of(1) } }],
    ['a uint32', 'InvalidTensorView', { a: { dtype: 'uint32', shape: [1], data: Uint32Array.of(1) } }],
    ['an unknown dtype', 'InvalidTensorView', { a: { dtype: 'string', shape: [1], data: Uint8Array.of(1) } }],
    ['too few elements', 'InvalidTensorView', { a: { dtype: 'int8', shape: [2], data: Int8Array.of(1) } }],
    ['another array', 'InvalidTensorView', { a: { dtype: 'int8', shape: [1], data: Uint8Array.of(1) } }],
    ['no data', 'InvalidTensorView', { a: { dtype: 'int8', shape: [1] } }],
    ['half a surrogate pair', 'InvalidArgument', { '\ud800': { dtype: 'int8', shape: [1], data: Int8Array.of(1) } }],
    ['null', 'InvalidArgument', null],
  ])('refuses %s', (_, code, tensors) => {
    let caught: unknown;
    try {
      serializeTorch(tensors as Record<string, StateTensor>);
    } catch (error) {
      caught = error;
    }
    expect(caught).toBeInstanceOf(TorchFileError);
    expect((caught as TorchFileError).code).toBe(code);
  });
});

/** Loads argv[1] as PyTorch's restricted reader does and writes every tensor's bytes, shape and dtype to argv[2]. */
const LOAD = `
import json, struct, sys, torch
state = torch.load(sys.argv[1], weights_only=True)
codes = {torch.float64: "F64", torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16", torch.int64: "I64",
         torch.int32: "I32", torch.int16: "I16", torch.int8: "I8", torch.uint8: "U8", torch.bool: "BOOL"}
header, data = {}, b""
for name, t in state.items():
    raw = t.reshape(-1).view(torch.uint8).numpy().tobytes() if t.numel() else b""
    header[name] = {"dtype": codes[t.dtype], "shape": list(t.shape), "data_offsets": [len(data), len(data) + len(raw)]}
    data += raw
header["__metadata__"] = {"type": type(state).__name__, "tied": str(state["tied.a"].data_ptr() == state["tied.b"].data_ptr())}
text = json.dumps(header).encode()
open(sys.argv[2], "wb").write(struct.pack("<Q", len(text)) + text + data)
`;

const python = pythonWithTorch();

describe.skipIf(python === undefined)('in PyTorch itself (skipped where python3 has no torch)', () => {
  it('loads with weights_only=True, bit-exact', () => {
    const folder = mkdtempSync(join(tmpdir(), 'saccade-torch-'));
    try {
      const [path, loaded] = [join(folder, 'ours.pth'), join(folder, 'loaded.safetensors')];
      writeFileSync(path, serializeTorch(TENSORS));
      execFileSync(python!, ['-c', LOAD, path, loaded], { stdio: ['ignore', 'ignore', 'inherit'] });
      const result = parseSafetensors(readFileSync(loaded));
      expect(Object.fromEntries(result.metadata)).toEqual({ type: 'OrderedDict', tied: 'True' });
      expect([...result.names].sort()).toEqual([...TENSORS.keys()].sort());
      const ours = parseTorch(readFileSync(path)).stateDict();
      for (const [name, tensor] of TENSORS) {
        expect(result.get(name)).toEqual(tensor);
        expect(Buffer.compare(result.bytes(name), ours.bytes(name))).toBe(0);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
