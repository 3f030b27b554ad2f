import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import { quote } from '../weightsError.ts';
import { FetchWeightsError } from './errors.ts';

/** What a reference means. */
export interface Target {
  readonly url: URL;
  /** The URL without its query, which may hold a signature: for messages, and for the cache's list. */
  readonly shown: string;
  /** The name under which caches keep it: SHA-256 of the URL, as 64 hexadecimal digits. */
  readonly id: string;
  /** Whether it came as `hf:...`. */
  readonly hub: boolean;
}

export interface ReferenceOptions {
  /** The server behind `hf:` references. Default `https://huggingface.co`. */
  readonly hfEndpoint?: string | undefined;
}

const HUB = 'https://huggingface.co';

/** An account or a repository of the hub: its own rule, which also keeps `.` and `..` out. */
const HUB_NAME = /^(?!.*(?:--|\.\.))[A-Za-z0-9](?:[A-Za-z0-9._-]{0,94}[A-Za-z0-9_])?$/;

/** A branch, a tag, a commit or `refs/pr/1`. */
const HUB_REVISION = /^(?!.*(?:\.\.|\/\/))[A-Za-z0-9](?:[A-Za-z0-9._/-]{0,198}[A-Za-z0-9_-])?$/;

/**
 * Reads a reference: an http(s) URL (in a browser also one relative to the page), or `hf:owner/repo/file@revision`, where
 * the file may lie in folders and the revision is `main` unless given.
 *
 * @throws FetchWeightsError InvalidArgument
 */
export function resolveReference(reference: string | URL, options: ReferenceOptions = {}): Target {
  if (typeof reference !== 'string' && !(reference instanceof URL)) {
    throw invalid(reference, 'it is neither a string nor a URL');
  }
  const text = String(reference);
  const hub = text.startsWith('hf:');
  const url = hub ? hubUrl(text, options.hfEndpoint ?? HUB) : webUrl(text);
  const shown = `${url.origin}${url.pathname}${url.search === '' ? '' : '?…'}`;
  return { url, shown, id: bytesToHex(sha256(utf8ToBytes(url.href))), hub };
}

/**
 * The name under which caches keep what a reference points to, for `cache.get` and `cache.delete`.
 *
 * @throws FetchWeightsError InvalidArgument
 */
export function weightsId(reference: string | URL, options: ReferenceOptions = {}): string {
  return resolveReference(reference, options).id;
}

/**
 * An http(s) URL without names, passwords and fragment.
 *
 * @throws FetchWeightsError InvalidArgument
 */
export function webUrl(text: string): URL {
  let url: URL;
  try {
    url = new URL(text, globalThis.location?.href);
  } catch (cause) {
    throw invalid(text, 'it is not a URL', { cause });
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw invalid(text, `its scheme is ${quote(url.protocol)}; a file or Blob is opened directly, without fetching`);
  }
  if (url.username !== '' || url.password !== '') {
    throw new FetchWeightsError(
      'InvalidArgument',
      `the URL of ${url.host} holds a name or password, which end up in logs. Pass them in the option headers.`,
    );
  }
  url.hash = '';
  return url;
}

function hubUrl(text: string, endpoint: string): URL {
  // A file name may contain @, so the last one counts.
  const at = text.lastIndexOf('@');
  const path = text.slice('hf:'.length, at === -1 ? undefined : at);
  const revision = at === -1 ? 'main' : text.slice(at + 1);
  const [owner = '', repo = '', ...file] = path.split('/');
  if (!HUB_NAME.test(owner)) throw invalid(text, `${quote(owner)} is not the name of an owner`);
  if (!HUB_NAME.test(repo) || repo.endsWith('.git'))
    throw invalid(text, `${quote(repo)} is not the name of a repository`);
  if (!HUB_REVISION.test(revision)) throw invalid(text, `${quote(revision)} is not a revision`);
  if (file.length === 0 || !file.every(isFileName)) throw invalid(text, `${quote(file.join('/'))} is not a file`);
  const base = webUrl(endpoint.endsWith('/') ? endpoint : `${endpoint}/`);
  const parts = [owner, repo, 'resolve', revision, ...file];
  return new URL(parts.map(encodeURIComponent).join('/'), base);
}

/** One part of a path: not empty, not `.` or `..`, without backslashes, control characters and halves of
 * surrogate pairs. */
function isFileName(part: string): boolean {
  return part !== '' && part !== '.' && part !== '..' && !/[\\\p{Cc}\p{Cs}]/u.test(part);
}

function invalid(reference: unknown, reason: string, options?: ErrorOptions): FetchWeightsError {
  return new FetchWeightsError(
    'InvalidArgument',
    `${quote(String(reference))} is not a reference to weights: ${reason}. ` +
      "Pass an http(s) URL, or 'hf:owner/repo/path/file@revision'.",
    options,
  );
}
