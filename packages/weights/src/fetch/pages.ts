import { FetchWeightsError } from './errors.ts';
import type { Target } from './reference.ts';

/** As much as is looked at. */
const HEAD_BYTES = 256;

/**
 * Refuses an answer that says of itself that it is a web page.
 *
 * @throws FetchWeightsError NotWeights
 */
export function refusePageType(headers: Headers, target: Target): void {
  if (/^\s*(?:text\/html|application\/xhtml\+xml)\b/i.test(headers.get('content-type') ?? '')) throw aPage(target);
}

/**
 * Passes the bytes of a file on, unless they begin like a web page or a Git LFS pointer: what servers send in place of a
 * file when the address is that of its page, or when a login is missing.
 *
 * @throws FetchWeightsError NotWeights
 */
export async function* refusePages(
  chunks: AsyncIterable<Uint8Array>,
  target: Target,
): AsyncGenerator<Uint8Array, void, undefined> {
  let head: Uint8Array | undefined = new Uint8Array(0);
  for await (const chunk of chunks) {
    if (head === undefined) {
      yield chunk;
      continue;
    }
    head = joined(head, chunk);
    if (head.byteLength < HEAD_BYTES) continue;
    refuse(head, target);
    yield head;
    head = undefined;
  }
  if (head !== undefined) {
    refuse(head, target);
    if (head.byteLength > 0) yield head;
  }
}

function refuse(bytes: Uint8Array, target: Target): void {
  const text = new TextDecoder().decode(bytes.subarray(0, HEAD_BYTES)).trimStart().toLowerCase();
  if (text.startsWith('<!doctype html') || text.startsWith('<html')) throw aPage(target);
  if (text.startsWith('version https://git-lfs.github.com/spec/')) {
    throw new FetchWeightsError(
      'NotWeights',
      `${target.shown} holds a Git LFS pointer, the note that stands in a repository in place of a large file. Use the ` +
        "address of the file itself: on the Hugging Face hub .../resolve/... or 'hf:owner/repo/file', on GitHub a release.",
    );
  }
}

function aPage(target: Target): FetchWeightsError {
  return new FetchWeightsError(
    'NotWeights',
    `${target.shown} answered with a web page. Use the address of the file itself, as behind its download link (on the ` +
      'Hugging Face hub .../resolve/... in place of .../blob/...), and pass headers if it needs a login.',
  );
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  if (a.byteLength === 0) return b;
  const both = new Uint8Array(a.byteLength + b.byteLength);
  both.set(a);
  both.set(b, a.byteLength);
  return both;
}
