import { describe, expect, it } from 'vitest';
import { summaryTables } from './summary.ts';
import { madeUpHeader, madeUpRefusal, madeUpRow, madeUpRun } from './testing/lines.ts';

describe('summaryTables', () => {
  const text = summaryTables(madeUpRun());
  const table = (title: string) =>
    text.split('\n\n').find((_, place, parts) => parts[place - 1]?.startsWith(`**${title}`)) ?? '';

  it('puts the fastest of ours beside every peer', () => {
    const networks = table('Networks');
    expect(
      networks
        .split('\n')
        .slice(2)
        .map((line) => line.split(' | ').slice(0, 4).join(' | ')),
    ).toEqual([
      '| peers/vit-s/forward | wasm | Saccade | onnxruntime-web 1.30.0, 1 thread',
      '| peers/vit-s/forward | wasm | Saccade | onnxruntime-node 1.30.0, 1 thread',
      '| peers/resnet50/forward | wasm | Saccade | onnxruntime-web 1.30.0, 1 thread',
      '| peers/resnet50/forward | wasm | Saccade | onnxruntime-node 1.30.0, 1 thread',
    ]);
    expect(networks).toMatch(/\| 1\.\d+× \(1\.\d+ to 1\.\d+\) \|/);
  });

  it('has the slopes of one sample forward, without those of software', () => {
    const slopes = table('Growth with N');
    expect(slopes.split('\n')).toHaveLength(2 + 4);
    expect(slopes).toContain('| LiSA | wasm | headDim 64 · batch 1 · direction forward | 1.10 |  | 1.10 |');
    expect(slopes).not.toContain('webgpu');
  });

  it('has DG-Attention at N = 3136, with time and memory', () => {
    const lines = table('Operators').split('\n').slice(2);
    expect(lines).toHaveLength(4);
    for (const line of lines)
      expect(line).toMatch(/n3136.*\| DG-Attention \| plain attention \(explicit\) \| 0\.0\d+×/);
  });

  it('labels what software computed', () => {
    const place = { backend: 'webgpu', softwareGpu: true };
    const explicit = madeUpRow({ ...place, contender: 'StructSA (explicit)', around: 8 }, 'itself');
    const fused = madeUpRow({ ...place, contender: 'StructSA (fused)', around: 2 }, explicit.samplesMs);
    const own = summaryTables([madeUpHeader(), explicit, fused]);
    expect(own).toContain('software WebGPU (a driver on the processor: nothing about a GPU)');
    expect(own).toMatch(/\| webgpu, software \| StructSA \(fused\) \| StructSA \(explicit\) \| 0\.2\d/);
  });

  it('names what is missing, and why a peer has no figure', () => {
    expect(text).toContain(
      'Not in this run: Attention-in-Attention in TSM-ResNet-50, StructSA fused on software WebGPU, loading weights beside PyTorch, decoding video beside ffmpeg.',
    );
    const frame = { suite: 'weights', comparison: 'fresh/tsm' };
    const refused = summaryTables([
      madeUpHeader(),
      madeUpRefusal('skipped', { ...frame, contender: 'Saccade' }),
      madeUpRow({ ...frame, contender: 'PyTorch', role: 'peer', around: 1 }),
    ]);
    expect(refused).toContain('| Saccade | PyTorch | ours skipped: the scores alone would need 4.7 GiB |');
    const own = summaryTables([
      madeUpHeader(),
      madeUpRow({ ...frame, contender: 'Saccade', around: 1 }),
      madeUpRefusal('absent', { ...frame, contender: 'PyTorch', role: 'peer', reason: 'no | module <torch>' }),
    ]);
    expect(own).toContain('| PyTorch | absent: no &#124; module &#60;torch&#62; |');
  });

  it('has bytes of bundles, and no times', () => {
    expect(table('Bundles')).toContain('| @saccade/lisa (imports/budgets) | raw bytes 11.7 KiB, gzip bytes 4.88 KiB |');
    expect(text).not.toMatch(/\d\s*ms\b/);
  });
});
