import type { IncomingMessage, ServerResponse } from 'node:http';
import { describeInBrowser } from '@saccade/browser';
import { expect, it } from 'vitest';
import { fixtureBytes } from './testing/expectations.ts';
import { summaryOf } from './testing/openingPage.ts';
import { modelOf } from './testing/tfjsBuilder.ts';

type Exported = typeof import('./testing/openingPage.ts');

const SHARD = Uint8Array.of(0, 1, 2, 255);
const MODEL = modelOf([
  {
    weights: [{ name: 'w', shape: [4], dtype: 'float32', quantization: { dtype: 'uint8', scale: 0.1, min: -1 } }],
    shards: { 'sub/w 1.bin': SHARD },
  },
]);
const FIXTURES = [
  'numpy/deflated.npz',
  'numpy/version_3.npy',
  'onnx/fields.onnx',
  'onnx/external.onnx',
  'torch/views.pth',
];
const FILES = new Map<string, Uint8Array>([
  ...[...FIXTURES, 'onnx/external.data'].map((name) => [`/${name}`, fixtureBytes(name)] as const),
  ['/model.json', MODEL.json],
  ['/sub/w%201.bin', SHARD],
]);

/** Answers requests for a part of a file, as any server of files does. */
function serve({ url = '', headers }: IncomingMessage, response: ServerResponse): void {
  const bytes = FILES.get(url);
  const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '') ?? [];
  if (bytes === undefined || from === undefined) return void response.writeHead(404).end();
  const end = Math.min(bytes.length, Number(to) + 1);
  const range = `bytes ${from}-${end - 1}/${bytes.length}`;
  response.writeHead(206, { 'content-range': range }).end(bytes.subarray(Number(from), end));
}

/** What Node reads, which other tests compare with what the libraries wrote. */
const resolve = (name: string) => FILES.get(`/${name.startsWith('sub') ? name.replace(' ', '%20') : `onnx/${name}`}`);

await describeInBrowser<Exported>(
  'openWeights',
  new URL('./testing/openingPage.ts', import.meta.url),
  (page) => {
    it.each([...FIXTURES, 'model.json'])('%s, by HTTP ranges, is what it is in Node', async (name) => {
      const inNode = await summaryOf(FILES.get(`/${name}`)!, resolve);
      expect(inNode.tensors?.length).toBeGreaterThan(0);
      expect(await page().call('summaryOfUrl', `/${name}`)).toEqual(inNode);
    });

    it('a chosen file, whole and damaged within its compressed bytes', async () => {
      const bytes = fixtureBytes('numpy/streamed.npz');
      expect(await page().call('summaryOfFile', [...bytes])).toEqual(await summaryOf(bytes));
      bytes.fill(0xff, 200, 300);
      expect(await page().call('summaryOfFile', [...bytes])).toEqual({ refused: 'NumpyFileError InvalidZip' });
    });
  },
  { serve },
);
