import { byteSource, readExactly } from '../source/byteSource.ts';
import { SourceError } from '../source/errors.ts';
import type { StoredWeights, WeightsCache } from './cache.ts';
import { LostRightError } from './cache.ts';
import { Download } from './download.ts';
import { FetchWeightsError, type FetchWeightsErrorCode } from './errors.ts';
import type { Sha256 } from './hash.ts';
import type { FetchedWeights, FetchProgress, FetchWeightsOptions, Settings } from './options.ts';
import { settingsOf } from './options.ts';
import { resolveReference, type Target } from './reference.ts';
import { Sharing } from './sharing.ts';

/** What differs between Node and a browser. */
export interface Platform {
  createSha256(): Sha256;
  /** @throws FetchWeightsError CacheUnavailable */
  defaultCache(): Promise<WeightsCache>;
}

/**
 * Brings a file of weights from a server into the cache, or finds it there.
 *
 * - `reference`: an http(s) URL, or `hf:owner/repo/path/file@revision` for the Hugging Face hub (revision `main` unless
 *   given).
 *
 * A cut connection is taken up where it stopped, by this call (see `retries`) or by a later one; pieces of two versions
 * of the file are never put together. The SHA-256 is computed while the bytes arrive, and the file is placed in the cache
 * at once and as a whole, after it was found right. Calls for the same file, also those of other processes (in browsers:
 * other tabs), share one download, with the options of the first.
 *
 * @throws FetchWeightsError, see its codes; the signal's reason if aborted, which leaves only what resuming needs
 * @example
 * const weights = await fetchWeights('hf:timm/deit_tiny_patch16_224.fb_in1k/model.safetensors@main', {
 *   onProgress: ({ received, total }) => bar.update(received / (total ?? Infinity)),
 * });
 * const file = await openSafetensors(weights.source);
 */
export type FetchWeights = (reference: string | URL, options?: FetchWeightsOptions) => Promise<FetchedWeights>;

/** After these, what was downloaded is of no use to another try. */
const FINAL: ReadonlySet<FetchWeightsErrorCode> = new Set(['LengthMismatch', 'HashMismatch', 'Changed', 'TooLarge']);

/** Bytes. */
const VERIFIED_AT_ONCE = 8 * 2 ** 20;

/** How many times a process may lose its download to another that takes it for dead. */
const MOST_LOSSES = 3;

export function fetchWeightsOn(platform: Platform): FetchWeights {
  const sharing = new Sharing<FetchedWeights, FetchProgress>();
  let opened: Promise<WeightsCache> | undefined;
  const standard = () => {
    opened ??= platform.defaultCache().catch((error: unknown) => {
      opened = undefined;
      throw error;
    });
    return opened;
  };
  return async (reference, options = {}) => {
    const { signal, onProgress } = options;
    signal?.throwIfAborted();
    const settings = settingsOf(options);
    const target = resolveReference(reference, settings);
    const cache = options.cache ?? (await standard());
    // Calls with other expectations are not mixed; they queue up in the cache.
    const kind = JSON.stringify([target.id, settings.sha256, settings.refresh ?? false, settings.offline ?? false]);
    return await sharing.join(
      cache,
      kind,
      (signal, report) => new Errand({ platform, cache, target, settings, signal, report }).run(),
      { signal, onProgress },
    );
  };
}

interface ErrandContext {
  readonly platform: Platform;
  readonly cache: WeightsCache;
  readonly target: Target;
  readonly settings: Settings;
  readonly signal: AbortSignal;
  readonly report: (progress: FetchProgress) => void;
}

/** One call, or several that share a download. */
class Errand {
  readonly #platform: Platform;
  readonly #cache: WeightsCache;
  readonly #target: Target;
  readonly #settings: Settings;
  readonly #signal: AbortSignal;
  readonly #report: (progress: FetchProgress) => void;

  constructor({ platform, cache, target, settings, signal, report }: ErrandContext) {
    this.#platform = platform;
    this.#cache = cache;
    this.#target = target;
    this.#settings = settings;
    this.#signal = signal;
    this.#report = report;
  }

  async run(): Promise<FetchedWeights> {
    const { offline, refresh } = this.#settings;
    const found = await this.#find();
    if (found !== undefined && !refresh) return { ...found, fromCache: true };
    if (offline) {
      throw new FetchWeightsError(
        'Offline',
        `${this.#target.shown}${this.#settings.sha256 === undefined ? '' : ' with this SHA-256'} is not in the cache. ` +
          'Fetch it once without the option offline.',
      );
    }
    for (let losses = 0; ; losses++) {
      try {
        return await this.#download(found);
      } catch (error) {
        if (!(error instanceof LostRightError)) throw error;
        if (losses === MOST_LOSSES) {
          throw new FetchWeightsError('CacheIo', `${this.#target.shown}: ${error.message}`, { cause: error });
        }
      }
    }
  }

  /** The cached file that was asked for: of this URL and, if a hash is expected, of this content; else of the content. */
  async #find(): Promise<StoredWeights | undefined> {
    const { sha256 } = this.#settings;
    let found = await this.#cache.get(this.#target.id);
    if (sha256 !== undefined && found?.sha256 !== sha256) {
      const twin = (await this.#cache.list()).find((file) => file.sha256 === sha256);
      found = twin && (await this.#cache.get(twin.id));
    }
    if (found === undefined || !this.#settings.verifyCached || (await this.#isIntact(found))) return found;
    await this.#cache.delete(found.id);
    return undefined;
  }

  async #isIntact({ source, size, sha256 }: StoredWeights): Promise<boolean> {
    const hash = this.#platform.createSha256();
    const bytes = byteSource(source);
    for (let start = 0; start < size; start += VERIFIED_AT_ONCE) {
      this.#signal.throwIfAborted();
      try {
        hash.update(await readExactly(bytes, start, Math.min(size, start + VERIFIED_AT_ONCE)));
      } catch (error) {
        // What cannot be read is damaged as well.
        if (error instanceof SourceError) return false;
        throw error;
      }
    }
    return hash.digest() === sha256;
  }

  async #download(found: StoredWeights | undefined): Promise<FetchedWeights> {
    const partial = await this.#cache.acquire(this.#target.id, {
      signal: this.#signal,
      onWaiting: (received, total) => this.#report({ received, total, resumedFrom: 0, waiting: true }),
    });
    try {
      // Whoever was waited for may have brought it.
      const brought = await this.#find();
      if (
        brought !== undefined &&
        (!this.#settings.refresh || brought.storedAt.getTime() !== found?.storedAt.getTime())
      ) {
        await partial.release();
        return { ...brought, fromCache: true };
      }
      const download = new Download({
        target: this.#target,
        settings: this.#settings,
        partial,
        createSha256: () => this.#platform.createSha256(),
        signal: this.#signal,
        report: this.#report,
        current: brought && { ...brought, total: brought.size },
      });
      const placement = await download.run();
      if (placement !== undefined) return { ...(await partial.commit(placement)), fromCache: false };
      await partial.release();
      return { ...brought!, fromCache: true };
    } catch (error) {
      // A partial file that cannot be removed does no harm; why the download failed is what matters.
      const final = error instanceof FetchWeightsError && FINAL.has(error.code);
      await (final ? partial.discard() : partial.release()).catch(() => undefined);
      throw error;
    }
  }
}
