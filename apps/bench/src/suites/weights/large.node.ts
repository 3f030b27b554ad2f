import { type FileHandle, open } from 'node:fs/promises';
import { type ByteSource, openWeights } from '@saccade/weights';
import { openFile } from '@saccade/weights/node';
import { compareValues } from '../../core/check.ts';
import type { Comparison, Contender, OwnTiming } from '../../core/comparison.ts';
import type { CheckResult } from '../../core/row.ts';
import { preparing } from '../../external/prepared.ts';
import { workFolder } from '../../external/workFolder.node.ts';

/** Sides of the square tensors, and how many there are. */
export interface LargeSize {
  readonly tensors: number;
  readonly side: number;
}

/** 1 GiB in tensors of 1 MiB. */
const GIBIBYTE: LargeSize = { tensors: 1024, side: 512 };

/** The tensor that is read, of which the corners hold numbers; all else in the file is a hole that reads as zeros. */
const CORNERS = [1.5, -2.25];

interface LargeFile extends LargeSize {
  readonly path: string;
  /** 8 and the length of the header */
  readonly dataStart: number;
  /** of the tensor that is read */
  readonly name: string;
  readonly begin: number;
  readonly tensorBytes: number;
}

/** What an opening or reading gives, and how many bytes were read from the file for it. */
interface Reading {
  readonly bytes: number;
  check(): CheckResult | Promise<CheckResult>;
}

/**
 * A safetensors file that is far larger than what is wanted of it: opening it (beside `JSON.parse` of its header, which is the
 * least that can be done), and opening it to read one tensor (beside one read at a known place).
 */
export function largeComparisons(size: LargeSize = GIBIBYTE): Comparison[] {
  const megabytes = (size.tensors * size.side ** 2 * 4) / 2 ** 20;
  const comparison = (
    id: string,
    contenders: (file: LargeFile) => Record<string, () => Promise<Reading>>,
  ): Comparison => ({
    suite: 'weights',
    id: `large/${id}`,
    parameters: { mebibytes: megabytes, tensors: size.tensors },
    prepare: ({ now }) =>
      preparing(async (undo) => {
        const file = await writeLarge((await workFolder(undo)).path('large.safetensors'), size);
        const named = Object.entries(contenders(file));
        return {
          contenders: named.map(([name, read], i) => contender(name, i === 0 ? 'peer' : 'saccade', read, now)),
          baseline: (named[0] as (typeof named)[number])[0],
        };
      }),
  });
  return [
    comparison('open', (file) => ({
      'JSON.parse of the header': () => parsedHeader(file),
      openWeights: () => opened(file),
    })),
    comparison('tensor', (file) => ({
      'one read': () => plainRead(file),
      'openWeights and get': () => tensorRead(file),
    })),
  ];
}

function contender(name: string, role: Contender['role'], read: () => Promise<Reading>, now: () => number): Contender {
  return {
    name,
    role,
    async run(): Promise<OwnTiming> {
      const began = now();
      const { bytes } = await read();
      return { wallMs: now() - began, quantities: { bytesRead: bytes } };
    },
    check: async () => (await read()).check(),
  };
}

async function writeLarge(path: string, { tensors, side }: LargeSize): Promise<LargeFile> {
  const tensorBytes = side ** 2 * 4;
  const entries = Array.from({ length: tensors }, (_, i) => [
    `blocks.${i}.weight`,
    { dtype: 'F32', shape: [side, side], data_offsets: [i * tensorBytes, (i + 1) * tensorBytes] },
  ]);
  const header = Buffer.from(JSON.stringify(Object.fromEntries(entries)));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  const dataStart = 8 + header.length;
  const wanted = Math.floor(tensors * 0.7);
  const begin = dataStart + wanted * tensorBytes;
  await using file = await open(path, 'w');
  await file.write(length);
  await file.write(header);
  await file.truncate(dataStart + tensors * tensorBytes);
  await file.write(Float32Array.of(CORNERS[0] as number), 0, 4, begin);
  await file.write(Float32Array.of(CORNERS[1] as number), 0, 4, begin + tensorBytes - 4);
  return { path, tensors, side, dataStart, name: `blocks.${wanted}.weight`, begin, tensorBytes };
}

async function readExactly(file: FileHandle, start: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(length), 0, length, start);
  if (bytesRead !== length) throw new Error(`the file ended after ${start + bytesRead} bytes`);
  return buffer;
}

async function parsedHeader({ path, dataStart, ...file }: LargeFile): Promise<Reading> {
  await using handle = await open(path);
  const length = Number((await readExactly(handle, 0, 8)).readBigUInt64LE());
  const header = JSON.parse((await readExactly(handle, 8, length)).toString()) as Record<
    string,
    { data_offsets: number[] }
  >;
  const end = () => dataStart + Math.max(...Object.values(header).map(({ data_offsets: [, last] }) => last as number));
  return { bytes: 8 + length, check: () => sameListing(Object.keys(header).length, end(), { ...file, dataStart }) };
}

async function opened(file: LargeFile): Promise<Reading> {
  await using source = await openFile(file.path);
  const counted = counting(source);
  const weights = await openWeights(counted);
  return {
    bytes: counted.bytes(),
    check: () => {
      const bytes = weights.names.reduce((sum, name) => sum + weights.info(name).byteLength, 0);
      return sameListing(weights.names.length, file.dataStart + bytes, file);
    },
  };
}

async function plainRead({ path, begin, tensorBytes, side }: LargeFile): Promise<Reading> {
  await using handle = await open(path);
  const bytes = await readExactly(handle, begin, tensorBytes);
  const numbers = new Float32Array(new Uint8Array(bytes).buffer);
  return { bytes: tensorBytes, check: () => sameTensor(numbers, side) };
}

async function tensorRead(file: LargeFile): Promise<Reading> {
  await using source = await openFile(file.path);
  const counted = counting(source);
  const { data } = await (await openWeights(counted)).get(file.name);
  return { bytes: counted.bytes(), check: () => sameTensor(data as Float32Array, file.side) };
}

/** The same source, and the bytes that were read of it. */
function counting(source: ByteSource): ByteSource & { bytes(): number } {
  let bytes = 0;
  return {
    size: source.size,
    async read(start, end) {
      bytes += end - start;
      return await source.read(start, end);
    },
    bytes: () => bytes,
  };
}

function sameListing(tensors: number, bytes: number, file: Omit<LargeFile, 'path'>): CheckResult {
  const expected = [file.tensors, file.dataStart + file.tensors * file.tensorBytes];
  return compareValues(
    'the number of tensors and the length of the file',
    [[tensors], [bytes]],
    expected.map((n) => [n]),
    0,
  );
}

function sameTensor(actual: ArrayLike<number>, side: number): CheckResult {
  const expected = new Float32Array(side ** 2);
  expected[0] = CORNERS[0] as number;
  expected[expected.length - 1] = CORNERS[1] as number;
  return compareValues('the numbers that were written', [actual], [expected], 0);
}
