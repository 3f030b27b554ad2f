import { describe, expect, it } from 'vitest';
import { baselineLosses, comparisonsWithPeers, peerGaps, peerLosses, timeRatioOf } from './losses.ts';
import { madeUpRefusal, madeUpRow } from './testing/lines.ts';

const FUSED = 'plain attention (fused)';
const explicit = madeUpRow({ around: 4 }, 'itself');
const samples = explicit.samplesMs as number[];
const fused = madeUpRow({ contender: FUSED, around: 2 }, samples);
const lisa = madeUpRow({ contender: 'LiSA', around: 1 }, samples);
const slow = madeUpRow({ contender: 'StructSA', around: 12 }, samples);
const peer = madeUpRow({ contender: 'onnxruntime-web', role: 'peer', around: 1.5 }, samples);

describe('peerLosses', () => {
  it('compares a peer with the fastest of ours that does its work: not with LiSA, which does another', () => {
    const [loss, ...others] = peerLosses([explicit, fused, lisa, slow, peer]);
    expect(others).toEqual([]);
    expect([loss?.ours.contender, loss?.theirs.contender, loss?.what]).toEqual([FUSED, 'onnxruntime-web', 'time']);
    expect(loss?.ratio.value).toBeCloseTo(2 / 1.5, 1);
    expect(loss?.ratio).toEqual(timeRatioOf(fused, peer));
  });

  it('does not take another operator for plain attention where that is too large for us', () => {
    const baseline = 'windowed attention';
    const skipped = madeUpRefusal('skipped', { contender: FUSED });
    const windowed = madeUpRow({ contender: baseline, around: 3, baseline }, 'itself');
    expect(peerLosses([skipped, windowed, { ...peer, baseline }])).toEqual([]);
  });

  it('compares with the fastest of ours where all do the same', () => {
    const frame = { suite: 'weights', comparison: 'formats/x', baseline: 'PyTorch, .pth' };
    const torch = madeUpRow({ ...frame, contender: 'PyTorch', role: 'peer', around: 1 }, 'itself');
    const own = [3, 2].map((around) =>
      madeUpRow({ ...frame, contender: `Saccade, ${around}`, around }, torch.samplesMs),
    );
    expect(peerLosses([torch, ...own]).map(({ ours }) => ours.contender)).toEqual(['Saccade, 2']);
  });

  it('compares the same kind of file where there are several', () => {
    const frame = { suite: 'weights', comparison: 'formats/x', baseline: 'PyTorch, .pth' };
    const torch = madeUpRow({ ...frame, contender: 'PyTorch, .pth', role: 'peer', around: 1 }, 'itself');
    const own = ['.pth', 'safetensors'].map((kind, index) =>
      madeUpRow({ ...frame, contender: `Saccade, ${kind}`, around: 3 - index }, torch.samplesMs),
    );
    expect(peerLosses([torch, ...own]).map(({ ours }) => ours.contender)).toEqual(['Saccade, .pth']);
    const refused = madeUpRefusal('skipped', { ...frame, contender: 'Saccade, .pth' });
    const others = own.slice(1);
    expect(peerLosses([torch, refused, ...others])).toEqual([]);
    expect(peerGaps([torch, refused, ...others])).toEqual([{ ours: refused, theirs: torch }]);
  });

  it('has memory and counted quantities, the worst first', () => {
    const bundle = { suite: 'bundle', comparison: 'x', status: 'measured' } as const;
    const losses = peerLosses([
      { ...fused, peakTensorBytes: 300 },
      { ...peer, wallMs: { median: 9, quartiles: [9, 9], interval: [9, 9] }, samplesMs: [], peakTensorBytes: 100 },
      madeUpRow({ ...bundle, contender: 'ours', quantities: { bytes: 70 } }),
      madeUpRow({ ...bundle, contender: 'theirs', role: 'peer', quantities: { bytes: 10 } }),
    ]);
    expect(losses.map(({ what, ratio }) => [what, ratio.value])).toEqual([
      ['bytes', 7],
      ['memory', 3],
    ]);
  });

  it('leaves out what is wrong, absent or slower', () => {
    const rows = [explicit, madeUpRow({ contender: 'slow peer', role: 'peer', around: 9 }, samples)];
    expect(
      peerLosses([...rows, madeUpRefusal('wrong', { role: 'peer' }), madeUpRefusal('absent', { role: 'peer' })]),
    ).toEqual([]);
    expect(comparisonsWithPeers(rows)).toBe(1);
    expect(comparisonsWithPeers([explicit, madeUpRefusal('absent', { role: 'peer' })])).toBe(0);
  });
});

describe('peerGaps', () => {
  const skipped = madeUpRefusal('skipped', { contender: 'plain attention (explicit)' });
  const none = madeUpRefusal('absent', { contender: FUSED });

  it('are where a peer was measured and nothing of ours that does its work', () => {
    expect(peerGaps([none, skipped, lisa, peer])).toEqual([{ ours: skipped, theirs: peer }]);
  });

  it('are not where another form has a time, or where no peer has one', () => {
    expect(peerGaps([skipped, fused, peer])).toEqual([]);
    expect(peerGaps([skipped, madeUpRefusal('absent', { role: 'peer' })])).toEqual([]);
    expect(peerGaps([none, peer])).toEqual([]);
  });
});

describe('baselineLosses', () => {
  it('compares operators with the fastest form of plain attention', () => {
    const between = madeUpRow({ contender: 'DG-Attention', around: 3 }, samples);
    const losses = baselineLosses([explicit, fused, lisa, between, slow, peer]);
    expect(losses.map(({ ours, theirs }) => [ours.contender, theirs.contender])).toEqual([
      ['StructSA', FUSED],
      ['DG-Attention', FUSED],
    ]);
  });
});

describe('baselineLosses of networks', () => {
  it('takes the plain twin, and leaves out other sizes', () => {
    const frame = { suite: 'backbones', comparison: 'images/dgt/forward' };
    const twin = { ...frame, baseline: 'dgt_t, plain attention', cost: { macs: 5e9 } };
    const plain = madeUpRow({ ...twin, contender: 'dgt_t, plain attention', around: 2 }, 'itself');
    const grouped = madeUpRow({ ...twin, contender: 'dgt_t', around: 3 }, plain.samplesMs);
    const base = madeUpRow({ ...twin, contender: 'dgt_b', around: 9, cost: { macs: 16e9 } }, plain.samplesMs);
    expect(baselineLosses([plain, grouped, base]).map(({ ours }) => ours.contender)).toEqual(['dgt_t']);
    expect(baselineLosses([plain, grouped].map((row) => ({ ...row, suite: 'data' })))).toEqual([]);
  });
});

describe('timeRatioOf', () => {
  it('pairs samples, and falls back on intervals that cannot be too narrow', () => {
    expect(timeRatioOf({ ...fused, samplesMs: [2, 4, 9] }, { ...peer, samplesMs: [1, 4, 3] })).toEqual({
      value: 2,
      interval: [1, 3],
    });
    const [a, b] = [
      { ...fused, samplesMs: [1], wallMs: { median: 4, quartiles: [4, 4], interval: [3, 5] } as const },
      { ...peer, wallMs: { median: 2, quartiles: [2, 2], interval: [1, 2.5] } as const },
    ];
    expect(timeRatioOf(a, b)).toEqual({ value: 2, interval: [1.2, 5] });
    expect(timeRatioOf(a, madeUpRefusal('failed'))).toBeUndefined();
  });
});
