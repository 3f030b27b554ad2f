import { describe, expect, it } from 'vitest';
import { rooflineShare } from './rooflineShare.ts';

// 100 GFLOP/s and 10 GB/s meet at 10 operations for each byte.
const device = { flopsPerSecond: 100e9, bytesPerSecond: 10e9, dispatchMs: 0.1 };

describe('rooflineShare', () => {
  it('measures work of many operations for each byte by the FMA rate', () => {
    // 2 GFLOP in 40 ms are 50 GFLOP/s.
    expect(rooflineShare({ macs: 1e9, bytes: 1e6 }, 40, device)).toEqual({
      flopsPerSecond: expect.closeTo(50e9, 0),
      attainableFlopsPerSecond: 100e9,
      percent: expect.closeTo(50, 9),
      limit: 'compute',
    });
  });

  it('measures work of few by the bandwidth', () => {
    // One operation for each byte: 10 GFLOP/s at most. 2 MFLOP in 1 ms are 2 GFLOP/s.
    expect(rooflineShare({ macs: 1e6, bytes: 2e6 }, 1, device)).toMatchObject({
      attainableFlopsPerSecond: expect.closeTo(10e9, 0),
      percent: expect.closeTo(20, 9),
      limit: 'bandwidth',
    });
  });

  it('takes the FMA rate where bytes are unknown', () => {
    expect(rooflineShare({ macs: 1e9 }, 40, device)).toMatchObject({
      limit: 'compute',
      percent: expect.closeTo(50, 9),
    });
  });

  it('says nothing of work without multiply-accumulates', () => {
    expect(rooflineShare({ bytes: 8 }, 1, device)).toBeUndefined();
    expect(rooflineShare({ macs: 0, bytes: 8 }, 1, device)).toBeUndefined();
  });
});
