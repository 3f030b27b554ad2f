import { openUrl, openWeights, type ShardResolver, type SourceInput, shardsBeside, WeightsError } from '../index.ts';
import { crc32 } from '../zip/crc32.ts';

// What the tests of openWeights run, inside a browser and in Node alike.

/** What is in a file: name, type and checksum of each tensor; or why it was refused. */
export async function summaryOf(source: SourceInput, resolve?: ShardResolver) {
  try {
    const file = await openWeights(source, { resolve });
    const tensors: string[] = [];
    for (const name of file.names) tensors.push(`${name} ${file.info(name).dtype} ${crc32(await file.bytes(name))}`);
    return { format: file.format, tensors };
  } catch (error) {
    if (error instanceof WeightsError) return { refused: `${error.name} ${error.code}` };
    throw error;
  }
}

/** The same of a file of the server, read by HTTP ranges, with its shards beside it. */
export async function summaryOfUrl(path: string) {
  const url = new URL(path, location.href).href;
  return await summaryOf(await openUrl(url), shardsBeside(url));
}

/** The same of a file that a person chose. */
export async function summaryOfFile(bytes: readonly number[]) {
  return await summaryOf(new File([Uint8Array.from(bytes)], 'weights'));
}
