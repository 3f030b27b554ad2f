/** An element of a page in the order of opening, with what it is in. */
export interface ReadElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** ids of the elements around it, the outermost first */
  readonly within: readonly string[];
}

/** What a page consists of. */
export interface ReadPage {
  readonly elements: readonly ReadElement[];
  /** text outside of `style`, with entities as they stand */
  readonly text: string;
}

const EMPTY_ELEMENTS = ['!doctype', 'meta', 'br'];

/**
 * Reads HTML as strictly as XML: each element closes what was opened last, values of attributes are quoted.
 *
 * @throws {Error} at the first place that is not so
 */
export function readPage(html: string): ReadPage {
  const elements: ReadElement[] = [];
  const open: { readonly name: string; readonly id: string | undefined }[] = [];
  let text = '';
  let at = 0;
  while (at < html.length) {
    const begin = html.indexOf('<', at);
    const style = open.at(-1)?.name === 'style';
    if (!style) text += `${html.slice(at, begin < 0 ? html.length : begin)} `;
    if (begin < 0) break;
    const tag = readTag(html, begin);
    at = tag.end;
    if (tag.closes) {
      const last = open.pop()?.name;
      if (last !== tag.name) throw new Error(`</${tag.name}> at ${begin} closes <${last}>`);
      continue;
    }
    elements.push({ ...tag, within: open.flatMap(({ id }) => id ?? []) });
    if (!tag.selfClosing && !EMPTY_ELEMENTS.includes(tag.name)) open.push({ name: tag.name, id: tag.attributes.id });
  }
  if (open.length > 0) throw new Error(`<${open.at(-1)?.name}> is not closed`);
  return { elements, text };
}

/** From `<` on; a `>` within quotes does not end a tag. */
function readTag(html: string, begin: number) {
  const closes = html[begin + 1] === '/';
  let at = begin + (closes ? 2 : 1);
  const word = () => {
    const from = at;
    while (at < html.length && !' \n/>="'.includes(html[at] as string)) at++;
    return html.slice(from, at);
  };
  const name = word();
  if (name === '') throw new Error(`a bare < at ${begin}`);
  const attributes: Record<string, string> = {};
  while (at < html.length && html[at] !== '>' && html[at] !== '/') {
    if (' \n'.includes(html[at] as string)) {
      at++;
      continue;
    }
    const attribute = word();
    if (html.slice(at, at + 2) !== '="') {
      if (attribute === '') throw new Error(`${html[at]} within <${name}> at ${at}`);
      attributes[attribute] = '';
      continue;
    }
    const end = html.indexOf('"', at + 2);
    if (end < 0) throw new Error(`the value of ${attribute} at ${at} has no end`);
    attributes[attribute] = html.slice(at + 2, end);
    at = end + 1;
  }
  const selfClosing = html[at] === '/';
  return { name, attributes, closes, selfClosing, end: html.indexOf('>', at) + 1 };
}
