/** What DataParallel and torch.compile put in front of every name. */
const WRAPPERS = ['module.', '_orig_mod.'];

/**
 * Takes off the prefixes of wrappers, `module.` and `_orig_mod.`, any number of them.
 *
 * Only where every name has them: a part of a model may have the name `module` in its own right. Names without a dot are the
 * wrapper's own (`n_averaged` of an averaged model), or weights of the outermost module, and stay.
 */
export function unwrapper(names: readonly string[]): (name: string) => string {
  const dotted = names.filter((name) => name.includes('.'));
  let length = 0;
  for (let found = dotted.length > 0; found; ) {
    const prefix = WRAPPERS.find((wrapper) => dotted.every((name) => name.startsWith(wrapper, length)));
    found = prefix !== undefined;
    length += prefix?.length ?? 0;
  }
  return (name) => (name.includes('.') ? name.slice(length) : name);
}
