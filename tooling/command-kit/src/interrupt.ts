/** The reason of a signal of {@link abortOnInterrupt}: somebody pressed Ctrl-C. */
export class Interrupted extends Error {}

/** The first Ctrl-C stops in good order; a second one at once. */
export function abortOnInterrupt(): AbortSignal {
  const controller = new AbortController();
  process.once('SIGINT', () => controller.abort(new Interrupted('Interrupted.')));
  return controller.signal;
}
