/**
 * The element of the page with this id.
 *
 * @throws when there is none, or one of another kind: the page and its program do not belong together
 */
export function byId<E extends Element>(id: string, kind: abstract new () => E): E {
  const element = document.getElementById(id);
  if (element instanceof kind) return element;
  throw new Error(`the page has no ${kind.name} with the id '${id}'`);
}

/**
 * A new element. Children that are strings become text and never markup: names and reasons come from drivers, workers and
 * files.
 */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties: Partial<HTMLElementTagNameMap[K]> = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}
