import { describe, expect, it } from 'vitest';
import { abortOnInterrupt, Interrupted } from './interrupt.ts';

describe('abortOnInterrupt', () => {
  it('aborts at the first Ctrl-C and leaves the second to Node', () => {
    const before = process.listenerCount('SIGINT');
    const signal = abortOnInterrupt();
    expect(signal.aborted).toBe(false);
    process.emit('SIGINT');
    expect(signal.reason).toBeInstanceOf(Interrupted);
    expect(process.listenerCount('SIGINT')).toBe(before);
  });
});
