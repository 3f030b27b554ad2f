import { fetchWeights } from '../node/fetchWeights.ts';
import { FileCache } from '../node/fileCache.ts';
import type { FetchProgress } from '../options.ts';

// A process of its own that fetches one file. It writes JSON lines: its progress, then what came of it.

const [url = '', directory = ''] = process.argv.slice(2);
const timing = { heartbeatMs: 50, deadMs: 300, silentMs: 3000, pollMs: 20 };
const say = (message: object) => process.stdout.write(`${JSON.stringify(message)}\n`);

try {
  const { sha256, fromCache, path } = await fetchWeights(url, {
    cache: new FileCache({ directory }, timing),
    stallMs: 60_000,
    backoffMs: 10,
    onProgress: (progress: FetchProgress) => say({ progress }),
  });
  say({ result: { sha256, fromCache, path } });
} catch (error) {
  say({ failure: String(error) });
}
