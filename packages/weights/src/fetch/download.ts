import { SourceError } from '../source/errors.ts';
import { chunksOf } from '../source/spool.ts';
import type { PartialWeights, Placement, Version } from './cache.ts';
import { FetchWeightsError, isTransient } from './errors.ts';
import type { Sha256 } from './hash.ts';
import { contentRangeOf, ifRangeOf, isPlain, sameVersion, versionOf } from './headers.ts';
import type { FetchProgress, Settings } from './options.ts';
import { refusePages, refusePageType } from './pages.ts';
import type { Target } from './reference.ts';
import { type Answer, reasonOf, request, type Wanted } from './request.ts';
import { sleep, Watchdog } from './waiting.ts';

/** An attempt that brought this much was worth it: the count of failures begins anew. */
const WORTHWHILE_BYTES = 2 ** 20;

const LONGEST_BACKOFF_MS = 30_000;

/** A server that wants to be left alone for longer than this is not waited for. */
const LONGEST_RETRY_AFTER_MS = 120_000;

const NOTHING: Version = { etag: undefined, lastModified: undefined, total: undefined, sha256: undefined };

export interface DownloadContext {
  readonly target: Target;
  readonly settings: Settings;
  readonly partial: PartialWeights;
  readonly createSha256: () => Sha256;
  readonly signal: AbortSignal;
  readonly report: (progress: FetchProgress) => void;
  /** The cached file, if the question is whether there is a newer one. */
  readonly current: Version | undefined;
}

/** How much of an answer's body belongs to the file, from the position where it begins. */
interface Body {
  readonly response: Response;
  /** Where the body ends, exclusive; undefined if the server does not say or a browser cannot know. */
  readonly end: number | undefined;
}

/** One download, from the first request to the last byte, over as many connections as it takes. */
export class Download {
  readonly #context: DownloadContext;
  #hash: Sha256;
  /** Bytes that lie in the partial file and went through the hash. */
  #position = 0;
  #resumedFrom = 0;
  #version: Version | undefined;
  /** Whether the bytes at hand came from this server in this call, and not from an earlier one. */
  #fresh = false;
  #changes = 0;
  /** Whether a byte was asked for that is beyond the end of the file, though not of its announced length. */
  #overrun = false;
  /** Whether the bytes came over more than one connection. */
  #pieced = false;
  /** Whether this server's parts turned out to be of no use. */
  #noRanges = false;

  constructor(context: DownloadContext) {
    this.#context = context;
    this.#hash = context.createSha256();
  }

  /**
   * Leaves the whole file in `partial`, verified.
   *
   * @returns what to place it with; undefined if `current` is still the newest version
   * @throws FetchWeightsError; the signal's reason if aborted
   */
  async run(): Promise<Placement | undefined> {
    await this.#takeUp();
    for (let again = false; ; again = true) {
      if (!(await this.#toTheEnd())) return undefined;
      const { sha256 } = this.#context.settings;
      const expected = sha256 ?? this.#version?.sha256;
      const actual = this.#hash.digest();
      const { shown } = this.#context.target;
      const { etag, lastModified } = this.#version ?? {};
      if (expected === undefined || actual === expected) return { url: shown, sha256: actual, etag, lastModified };
      if (!this.#pieced || again) throw mismatch(shown, expected, actual, sha256 !== undefined);
      // Pieces of two files, or a partial file that rotted: in one piece it may still be right.
      await this.#restart(undefined);
    }
  }

  /** Takes up what an earlier call left, if it is known what it is. */
  async #takeUp(): Promise<void> {
    const { partial, settings, signal } = this.#context;
    const { version } = partial;
    const useful =
      version !== undefined &&
      this.#isVerifiable(version) &&
      partial.size > 0 &&
      partial.size <= Math.min(version.total ?? settings.maxBytes, settings.maxBytes) &&
      (settings.sha256 === undefined || version.sha256 === undefined || settings.sha256 === version.sha256);
    if (!useful) return;
    for await (const chunk of partial.chunks()) {
      signal.throwIfAborted();
      this.#hash.update(chunk);
      this.#position += chunk.byteLength;
    }
    this.#version = version;
    this.#resumedFrom = this.#position;
    this.#pieced = true;
    this.#report();
  }

  /** @returns false if the cached file is the newest version */
  async #toTheEnd(): Promise<boolean> {
    const { settings, signal } = this.#context;
    let failures = 0;
    let furthest = this.#position;
    while (this.#position === 0 || this.#position !== this.#version?.total) {
      try {
        const outcome = await this.#attempt();
        if (outcome !== 'again') return outcome === 'complete';
      } catch (error) {
        if (!isTransient(error)) throw error;
        if (this.#position - furthest >= WORTHWHILE_BYTES) {
          furthest = this.#position;
          failures = 0;
        }
        if (failures >= settings.retries) throw error;
        const backoff = Math.min(settings.backoffMs * 2 ** failures, LONGEST_BACKOFF_MS);
        if ((error.retryAfterMs ?? 0) > LONGEST_RETRY_AFTER_MS) throw error;
        await sleep(Math.max(backoff, error.retryAfterMs ?? 0), signal);
        failures++;
      }
    }
    return true;
  }

  /** One request and its body. @returns 'again' if another request is due at once */
  async #attempt(): Promise<'complete' | 'current' | 'again'> {
    const { target, settings, signal: caller } = this.#context;
    const stalled = () =>
      new FetchWeightsError(
        'Stalled',
        `${target.shown} sent nothing for ${settings.stallMs} ms, ${this.#position} bytes into the file. Try again ` +
          'later: the download goes on where it stopped; or raise stallMs.',
      );
    const watchdog = new Watchdog(settings.stallMs, stalled, caller);
    let response: Response | undefined;
    try {
      watchdog.watch();
      const answer = await request(target, this.#wanted(), settings, watchdog.signal);
      response = answer.response;
      watchdog.rest();
      const body = await this.#judge(answer);
      if (typeof body === 'string') return body;
      await this.#take(body, watchdog);
      return 'complete';
    } finally {
      watchdog.end();
      // Frees the connection. A body that was read to its end, or failed, has nothing to cancel.
      await response?.body?.cancel().catch(() => undefined);
    }
  }

  #wanted(): Wanted | undefined {
    const version = this.#version;
    if (this.#position === 0 || this.#noRanges || version === undefined || !this.#isVerifiable(version)) {
      return undefined;
    }
    return { start: this.#position, ifRange: ifRangeOf(version) };
  }

  /** Whether it can be told that the rest belongs to the beginning: by comparing versions, or by the hash of it all. */
  #isVerifiable(version: Version): boolean {
    return ifRangeOf(version) !== undefined || (this.#context.settings.sha256 ?? version.sha256) !== undefined;
  }

  /** What the answer means for what is there already. */
  async #judge({ response, linked }: Answer): Promise<Body | 'again' | 'current'> {
    const { headers, status } = response;
    if (status === 200) return await this.#whole({ response, linked });
    const range = contentRangeOf(headers);
    if (status === 416) {
      if (this.#overrun) throw this.#lied(`and then that it ends at byte ${range?.total ?? this.#position}`);
      // Either the file has become shorter, or it never was as long as announced: one whole answer tells.
      this.#overrun = true;
      await this.#restart(undefined);
      return 'again';
    }
    const wanted = this.#wanted();
    if (wanted === undefined) throw this.#lied('and sent a part that nobody asked for');
    const version = versionOf(headers, linked);
    const total = this.#version?.total;
    // A browser does not see Content-Range of every origin; the length of the rest is as good.
    const fits = range
      ? range.start === wanted.start
      : total !== undefined && wanted.start + (version.total ?? 0) === total;
    const same =
      total !== undefined && range?.total !== undefined && range.total !== total
        ? false
        : sameVersion(this.#version ?? NOTHING, { ...version, total: undefined });
    if (!fits || !isPlain(headers) || (same === undefined && wanted.ifRange !== undefined)) {
      this.#noRanges = true;
      await this.#restart(undefined);
      return 'again';
    }
    if (same === false) {
      this.#countChange();
      await this.#restart(undefined);
      return 'again';
    }
    this.#pieced = true;
    if (total === undefined && range?.total !== undefined && this.#version) {
      this.#version = { ...this.#version, total: range.total };
    }
    return { response, end: range?.end ?? total };
  }

  async #whole({ response, linked }: Answer): Promise<Body | 'current'> {
    const { current, settings, target } = this.#context;
    const { headers } = response;
    const version = versionOf(headers, linked);
    if (current !== undefined && sameVersion(current, version)) return 'current';
    // What is there stays there until something better comes.
    refusePageType(headers, target);
    if (settings.sha256 !== undefined && version.sha256 !== undefined && settings.sha256 !== version.sha256) {
      throw mismatch(target.shown, settings.sha256, version.sha256, true);
    }
    if (linked.size !== undefined && version.total !== linked.size) {
      throw this.#lied(`and the hub that it has ${linked.size}`, version.total);
    }
    if ((version.total ?? 0) > settings.maxBytes) throw this.#tooLarge(version.total);
    if (this.#position > 0 && this.#version !== undefined && sameVersion(this.#version, version) === false) {
      this.#countChange();
    }
    if (!isPlain(headers)) this.#noRanges = true;
    await this.#restart(isPlain(headers) ? version : undefined);
    this.#version = version;
    this.#fresh = true;
    this.#report();
    // To another origin's page, a browser does not show whether the body was compressed on the way.
    const certain = response.type !== 'cors' && isPlain(headers);
    return { response, end: certain ? version.total : undefined };
  }

  async #take({ response, end }: Body, watchdog: Watchdog): Promise<void> {
    const { target, settings, partial } = this.#context;
    const { body } = response;
    const chunks = body === null ? nothing() : chunksOf(body, watchdog.signal);
    const atStart = this.#position === 0;
    const checked = atStart ? refusePages(chunks, target) : chunks;
    try {
      watchdog.watch();
      for await (const chunk of checked) {
        watchdog.rest();
        const next = this.#position + chunk.byteLength;
        if (end !== undefined && next > end) throw this.#lied('and sent more', end);
        if (next > settings.maxBytes) throw this.#tooLarge(next);
        await partial.append(chunk);
        this.#hash.update(chunk);
        this.#position = next;
        this.#report();
        watchdog.watch();
      }
    } catch (cause) {
      if (!(cause instanceof SourceError)) throw cause;
      throw this.#cut(reasonOf(cause.cause), { cause });
    }
    const whole = this.#version?.total;
    const expected = end === undefined ? undefined : (whole ?? end);
    if (expected !== undefined && this.#position < expected) throw this.#cut(`${expected} were announced`);
    // No length to compare with: the connection's orderly end is the end of the file.
    if (this.#version) this.#version = { ...this.#version, total: this.#position };
  }

  /** Begins at byte 0 again, with the bytes of `version`; without, the next request tells. */
  async #restart(version: Version | undefined): Promise<void> {
    await this.#context.partial.restart(version);
    this.#hash = this.#context.createSha256();
    this.#position = 0;
    this.#resumedFrom = 0;
    this.#version = undefined;
    this.#pieced = false;
  }

  /** One change is bad luck; bytes of an earlier call say nothing about this one. */
  #countChange(): void {
    if (this.#fresh) this.#changes++;
    if (this.#changes > 1) {
      throw new FetchWeightsError(
        'Changed',
        `${this.#context.target.shown} was replaced again and again while it was downloaded. Try again later, or use ` +
          'an address of one version (a release, a commit).',
      );
    }
  }

  #report(): void {
    const received = this.#position;
    const announced = this.#version?.total;
    // A body that was compressed on the way outgrows the length that was announced.
    const total = announced !== undefined && announced < received ? undefined : announced;
    this.#context.report({ received, total, resumedFrom: this.#resumedFrom, waiting: false });
  }

  #cut(reason: string, options?: ErrorOptions): FetchWeightsError {
    return new FetchWeightsError(
      'Network',
      `the connection to ${this.#context.target.url.host} ended after ${this.#position} bytes of the file: ${reason}. ` +
        'Try again: the download goes on where it stopped.',
      options,
    );
  }

  #lied(evidence: string, announced = this.#version?.total): FetchWeightsError {
    return new FetchWeightsError(
      'LengthMismatch',
      `${this.#context.target.shown} said that the file has ${announced ?? 'an unknown number of'} bytes ${evidence}. ` +
        'The server, or a proxy before it, is at fault: use another address.',
    );
  }

  #tooLarge(bytes: number | undefined): FetchWeightsError {
    const { target, settings } = this.#context;
    return new FetchWeightsError(
      'TooLarge',
      `${target.shown} has ${bytes} bytes or more, maxBytes allows ${settings.maxBytes}. Raise it if you expect this.`,
    );
  }
}

function mismatch(shown: string, expected: string, actual: string, byCaller: boolean): FetchWeightsError {
  return new FetchWeightsError(
    'HashMismatch',
    `${shown} has SHA-256 ${actual}, ${byCaller ? 'expected was' : 'its server announced'} ${expected}. Nothing was kept. ` +
      'Either the file was replaced, or it was damaged or exchanged on the way: compare with the publisher.',
  );
}

async function* nothing(): AsyncGenerator<Uint8Array, void, undefined> {}
