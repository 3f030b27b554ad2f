import type { RandomStream } from '../random.ts';

/**
 * A stream in another order: of the latest `size` items, a random one comes next. So an item comes at most `size - 1` places
 * early, on average `size` late, and all of them come once.
 */
export async function* shuffleBuffer<T>(
  source: AsyncIterable<T>,
  size: number,
  random: RandomStream,
): AsyncGenerator<T, void, undefined> {
  const buffer: T[] = [];
  for await (const item of source) {
    if (buffer.length < size - 1) {
      buffer.push(item);
      continue;
    }
    const slot = random.below(size);
    if (slot === buffer.length) {
      yield item;
    } else {
      yield buffer[slot] as T;
      buffer[slot] = item;
    }
  }
  while (buffer.length > 0) {
    const slot = random.below(buffer.length);
    yield buffer[slot] as T;
    buffer[slot] = buffer[buffer.length - 1] as T;
    buffer.pop();
  }
}
