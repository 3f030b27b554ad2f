import { describe, expect, it } from 'vitest';
import { abortOnInterrupt, Interrupted } from './interrupt.ts';

describe('abortOnInterrupt', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)('aborts at the first %s and leaves the second to Node', (name) => {
    const before = process.listenerCount(name);
    const signal = abortOnInterrupt();
    expect(signal.aborted).toBe(false);
    process.emit(name);
    expect(signal.reason).toBeInstanceOf(Interrupted);
    expect(process.listenerCount(name)).toBe(before);
  });
});
