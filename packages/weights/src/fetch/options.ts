import type { FetchFunction } from '../source/httpRange.ts';
import { quote } from '../weightsError.ts';
import type { StoredWeights, WeightsCache } from './cache.ts';
import { FetchWeightsError } from './errors.ts';
import type { ReferenceOptions } from './reference.ts';

/** How far a download is. */
export interface FetchProgress {
  /** Bytes that are there, those of an earlier, cut download included. */
  readonly received: number;
  /** Bytes of the whole file; undefined while (or because) the server has not said so. */
  readonly total: number | undefined;
  /** How many bytes were there when this call began; 0 after beginning anew. */
  readonly resumedFrom: number;
  /** Whether another process or tab does the download and this one only watches. */
  readonly waiting: boolean;
}

/** Request headers. */
export type HeaderPairs = Readonly<Record<string, string>>;

/** Options of {@link FetchWeights}. */
export interface FetchWeightsOptions extends ReferenceOptions {
  /** The SHA-256 that the file must have, as 64 hexadecimal digits. A cached file of that content is taken from any URL. */
  readonly sha256?: string | undefined;
  /** Ends the download; what came so far is kept for resuming. Others who wait for the same file are not affected. */
  readonly signal?: AbortSignal | undefined;
  /** Called with every chunk that arrives, some 16 to 64 kB. What it throws ends the call. */
  readonly onProgress?: ((progress: FetchProgress) => void) | undefined;
  /** Where files are kept. Default: the user's cache folder in Node; OPFS, or else the Cache API, in a browser. */
  readonly cache?: WeightsCache | undefined;
  /**
   * Sent to the server of the URL, and to no other it may redirect to. A function is asked before each request, for
   * example for a token that expires.
   */
  readonly headers?: HeaderPairs | ((url: URL) => HeaderPairs | Promise<HeaderPairs>) | undefined;
  /** An access token of the hub, sent with `hf:` references to the hub only. */
  readonly hfToken?: string | (() => string | Promise<string>) | undefined;
  /** Called in place of the global `fetch`: for proxies. It must honour `init.signal` and `init.redirect`. */
  readonly fetch?: FetchFunction | undefined;
  /** Take the file from the cache or fail; send nothing. Default false. */
  readonly offline?: boolean | undefined;
  /** Ask the server whether a cached file is still the current one, and download it if not. Default false. */
  readonly refresh?: boolean | undefined;
  /** Read a cached file once and compare its SHA-256; a damaged one is downloaded again. Default false. */
  readonly verifyCached?: boolean | undefined;
  /** The most bytes a file may have. Default 32 GiB. */
  readonly maxBytes?: number | undefined;
  /** How many times in a row to try again after a failure that may pass, without 1 MiB of progress between. Default 5. */
  readonly retries?: number | undefined;
  /** Milliseconds before the first new try; each further one waits twice as long, up to 30 s. Default 500. */
  readonly backoffMs?: number | undefined;
  /** Milliseconds without a byte after which a connection counts as broken. Default 30 000. */
  readonly stallMs?: number | undefined;
}

/** A file that was fetched. It can be passed on as it is: `openSafetensors(weights.source)`. */
export interface FetchedWeights extends StoredWeights {
  /** Whether it was there already, so that nothing was downloaded by this call. */
  readonly fromCache: boolean;
}

/** The options of one download with their defaults, checked. */
export interface Settings extends Omit<FetchWeightsOptions, 'cache' | 'onProgress' | 'signal'> {
  readonly maxBytes: number;
  readonly retries: number;
  readonly backoffMs: number;
  readonly stallMs: number;
}

/** @throws FetchWeightsError InvalidArgument */
export function settingsOf(options: FetchWeightsOptions): Settings {
  const settings = {
    ...options,
    sha256: options.sha256 === undefined ? undefined : String(options.sha256).toLowerCase(),
    maxBytes: options.maxBytes ?? 32 * 2 ** 30,
    retries: options.retries ?? 5,
    backoffMs: options.backoffMs ?? 500,
    stallMs: options.stallMs ?? 30_000,
  };
  if (settings.sha256 !== undefined && !isSha256(settings.sha256)) {
    throw invalid('sha256', '64 hexadecimal digits', options.sha256);
  }
  for (const name of ['maxBytes', 'retries', 'backoffMs'] as const) {
    if (!(settings[name] >= 0)) throw invalid(name, 'a number from 0 on', settings[name]);
  }
  if (!(settings.stallMs > 0 && settings.stallMs <= LONGEST_TIMER)) {
    throw invalid('stallMs', `milliseconds, above 0 and at most ${LONGEST_TIMER}`, settings.stallMs);
  }
  if (options.offline && options.refresh) {
    throw new FetchWeightsError('InvalidArgument', 'offline and refresh exclude each other. Pass one of them.');
  }
  return settings;
}

/** Timers of a longer time go off at once. */
const LONGEST_TIMER = 2 ** 31 - 1;

export function isSha256(text: unknown): text is string {
  return typeof text === 'string' && /^[0-9a-f]{64}$/.test(text);
}

function invalid(name: string, expected: string, actual: unknown): FetchWeightsError {
  return new FetchWeightsError('InvalidArgument', `${name} should be ${expected}, got ${quote(String(actual))}.`);
}
