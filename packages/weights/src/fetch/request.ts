import { messageOf } from '../source/errors.ts';
import { FetchWeightsError } from './errors.ts';
import { type Linked, linkedOf, retryAfterOf } from './headers.ts';
import type { HeaderPairs, Settings } from './options.ts';
import { type Target, webUrl } from './reference.ts';

const MAX_REDIRECTS = 10;

/** The part of the file to ask for. */
export interface Wanted {
  /** The first byte. */
  readonly start: number;
  /** The condition under which the server may send a part. */
  readonly ifRange: string | undefined;
}

export interface Answer {
  /** Status 200, 206 or 416. */
  readonly response: Response;
  readonly linked: Linked;
}

/**
 * Asks for a file, or its rest, and follows redirects.
 *
 * Node shows each redirect, so that they are counted, kept from leaving https, and what the caller said to one server is
 * not said to another. A browser follows them by itself and drops only the header Authorization on the way: others make
 * a redirect an error there.
 *
 * @throws FetchWeightsError HttpStatus, RedirectRefused, Network, InvalidArgument; the signal's reason if aborted
 */
export async function request(
  target: Target,
  wanted: Wanted | undefined,
  settings: Settings,
  signal: AbortSignal,
): Promise<Answer> {
  let url = target.url;
  let trusted = true;
  let linked: Linked = { sha256: undefined, size: undefined };
  for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
    trusted &&= url.origin === target.url.origin;
    const own = trusted ? await ownHeaders(url, target, settings) : new Headers();
    const headers = withRange(own, url, wanted);
    let response = await send(url, { headers, redirect: 'manual' }, settings, signal);
    if (response.type === 'opaqueredirect') {
      response = await followUnseen(url, headers, own, settings, signal);
    }
    if (trusted && target.hub) linked = known(linked, linkedOf(response.headers));
    const { status } = response;
    if (status === 200 || status === 206 || status === 416) return { response, linked };
    await response.body?.cancel();
    if (![301, 302, 303, 307, 308].includes(status)) throw statusError(target, response);
    url = nextHop(url, response.headers.get('location'));
  }
  throw new FetchWeightsError(
    'RedirectRefused',
    `${target.shown} redirects more than ${MAX_REDIRECTS} times. Open it in a browser, and pass where it ends.`,
  );
}

async function send(url: URL, init: RequestInit, { fetch = globalThis.fetch }: Settings, signal: AbortSignal) {
  try {
    // A copy in the browser's own cache would need the space twice.
    return await fetch(url.href, { ...init, signal, cache: 'no-store' });
  } catch (cause) {
    if (signal.aborted) throw signal.reason;
    throw new FetchWeightsError(
      'Network',
      `${url.origin} could not be reached: ${reasonOf(cause)}. Check the address and the connection; in a browser, the ` +
        'server must also allow this origin (CORS).',
      { cause },
    );
  }
}

async function followUnseen(url: URL, headers: Headers, own: Headers, settings: Settings, signal: AbortSignal) {
  const leaked = [...own.keys()].filter((name) => name !== 'authorization');
  if (leaked.length > 0) {
    throw new FetchWeightsError(
      'RedirectRefused',
      `${shown(url)} redirects, and the browser would send the header ${leaked.join(', ')} along to wherever that leads. ` +
        'Pass the address where it ends; of all headers, only Authorization is safe in a browser.',
    );
  }
  const response = await send(url, { headers, redirect: 'follow' }, settings, signal);
  if (url.protocol === 'https:' && response.url.startsWith('http:')) {
    await response.body?.cancel();
    throw downgrade(url, new URL(response.url));
  }
  return response;
}

function nextHop(from: URL, location: string | null): URL {
  let to: URL;
  try {
    if (location === null) throw new Error('there is no header Location');
    to = webUrl(new URL(location, from).href);
  } catch (cause) {
    throw new FetchWeightsError(
      'RedirectRefused',
      `${shown(from)} redirects to nowhere that can be fetched. Open it in a browser to see where it leads.`,
      { cause },
    );
  }
  if (from.protocol === 'https:' && to.protocol === 'http:') throw downgrade(from, to);
  return to;
}

function downgrade(from: URL, to: URL): FetchWeightsError {
  return new FetchWeightsError(
    'RedirectRefused',
    `${shown(from)} redirects from https to ${shown(to)}, where anybody on the way could exchange the file. ` +
      'Pass an address that stays on https.',
  );
}

async function ownHeaders(url: URL, target: Target, { headers, hfToken }: Settings): Promise<Headers> {
  const pairs: HeaderPairs | undefined = typeof headers === 'function' ? await headers(url) : headers;
  let own: Headers;
  try {
    own = new Headers(pairs);
  } catch (cause) {
    throw new FetchWeightsError('InvalidArgument', `headers are not valid: ${messageOf(cause)}.`, { cause });
  }
  if (target.hub && hfToken !== undefined && !own.has('authorization')) {
    const token = typeof hfToken === 'function' ? await hfToken() : hfToken;
    if (!/^[\x21-\x7e]+$/.test(token)) {
      throw new FetchWeightsError('InvalidArgument', 'hfToken is empty or holds characters that no token has.');
    }
    own.set('authorization', `Bearer ${token}`);
  }
  return own;
}

function withRange(own: Headers, url: URL, wanted: Wanted | undefined): Headers {
  const headers = new Headers(own);
  // Sizes and offsets are those of the file only if it is not compressed. Browsers decide this themselves.
  headers.set('accept-encoding', 'identity');
  headers.delete('range');
  headers.delete('if-range');
  if (wanted === undefined) return headers;
  headers.set('range', `bytes=${wanted.start}-`);
  // Browsers ask another origin for leave to send If-Range, which most do not give; the answer is compared anyway.
  const page = globalThis.location?.origin;
  if (wanted.ifRange !== undefined && (page === undefined || page === url.origin)) {
    headers.set('if-range', wanted.ifRange);
  }
  return headers;
}

function statusError(target: Target, { status, statusText, headers }: Response): FetchWeightsError {
  const retryAfterMs = retryAfterOf(headers);
  const advice =
    status === 401 || status === 403
      ? `Pass ${target.hub ? 'hfToken' : 'headers: { authorization }'} if the file needs a login.`
      : status === 404 || status === 410
        ? 'Check the address.'
        : status === 429 || status >= 500
          ? `Try again ${retryAfterMs === undefined ? 'later' : `in ${Math.ceil(retryAfterMs / 1000)} s`}.`
          : 'Open the address in a browser to see why.';
  return new FetchWeightsError(
    'HttpStatus',
    `${target.shown} answered ${`${status} ${statusText}`.trim()}. ${advice}`,
    {
      status,
      retryAfterMs,
    },
  );
}

/** Node says "fetch failed" and hides why in the cause. */
export function reasonOf(thrown: unknown): string {
  const cause = thrown instanceof Error ? thrown.cause : undefined;
  return cause instanceof Error && cause.message !== '' ? `${messageOf(thrown)} (${cause.message})` : messageOf(thrown);
}

function known(a: Linked, b: Linked): Linked {
  return { sha256: a.sha256 ?? b.sha256, size: a.size ?? b.size };
}

function shown(url: URL): string {
  return `${url.origin}${url.pathname}`;
}
