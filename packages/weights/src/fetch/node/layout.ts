import { join } from 'node:path';

/**
 * The files of a cache on disk.
 *
 * ```
 * entries/<id>.json            one for each URL: what lies where (see readEntry)
 * files/<sha256>               one for each content
 * partial/<id>.lock            somebody downloads this URL
 * partial/<id>.<token>.part    what that somebody, or a cut download, has
 * partial/<id>.<token>.json    ... and what it is the beginning of
 * ```
 *
 * All names are made of hexadecimal digits, whatever the URL. A partial file carries the token of its owner: one who lost
 * the right to write, and does not know it yet, writes into a file that nobody reads.
 */
export class Layout {
  readonly root: string;
  readonly entries: string;
  readonly files: string;
  readonly partials: string;

  constructor(root: string) {
    this.root = root;
    this.entries = join(root, 'entries');
    this.files = join(root, 'files');
    this.partials = join(root, 'partial');
  }

  entry(id: string): string {
    return join(this.entries, `${id}.json`);
  }

  file(sha256: string): string {
    return join(this.files, sha256);
  }

  lock(id: string): string {
    return join(this.partials, `${id}.lock`);
  }

  part(id: string, token: string): string {
    return join(this.partials, `${id}.${token}.part`);
  }

  note(id: string, token: string): string {
    return join(this.partials, `${id}.${token}.json`);
  }
}

/** The ids that names such as `<id>.json` hold; other names are not ours. */
export function idsOf(names: readonly string[], pattern: RegExp): string[] {
  return [...new Set(names.flatMap((name) => pattern.exec(name)?.[1] ?? []))];
}

export const ENTRY_NAME = /^([0-9a-f]{64})\.json$/;
export const FILE_NAME = /^([0-9a-f]{64})$/;
/** What belongs to one owner of a download: id and token. */
export const OWNED_NAME = /^([0-9a-f]{64})\.([0-9a-f]{32})\.(?:part|json|stale|tmp)$/;
/** Anything in the folder of partial files. */
export const PARTIAL_NAME = /^([0-9a-f]{64})\.(?:lock|(?:[0-9a-f]{32})\.(?:part|json|stale|tmp))$/;
/** An entry that was being written. */
export const TEMPORARY_NAME = /^([0-9a-f]{64})\.([0-9a-f]{32})\.tmp$/;
