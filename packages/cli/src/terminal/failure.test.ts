import { open } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { CommandFailure, explain, UsageError } from './failure.ts';
import { Interrupted } from './interrupt.ts';

describe('explain', () => {
  it('tells the mistakes of people, files and systems from those of this program', async () => {
    expect(explain(new UsageError('no'))).toEqual({ code: 2, message: 'no' });
    expect(explain(new CommandFailure('bad'))).toEqual({ code: 1, message: 'bad' });
    expect(explain(new Interrupted('now'))).toMatchObject({ code: 130 });
    const missing = await open('/nowhere/at all').catch((error: unknown) => error);
    expect(explain(missing)).toEqual({ code: 1, message: expect.stringContaining('ENOENT') });
    const bug = explain(new TypeError('x is not a function'));
    expect(bug.code).toBe(1);
    expect(bug.message).toMatch(/mistake in saccade itself; please report it[\s\S]*x is not a function\n {4}at /);
  });

  it('lets no file speak to the terminal', () => {
    expect(explain(new CommandFailure('a\u001b[2Jb\n\u202Ec')).message).toBe('a\\u{1b}[2Jb\n\\u{202e}c');
  });
});
