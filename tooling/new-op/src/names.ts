/** The forms of an operator's name: `dg-attention`, `dg`, `Dg`. */
export interface OperatorNames {
  /** kebab-case: the folder and the package */
  readonly kebab: string;
  /** camelCase, without a closing "attention": functions get that word as a suffix */
  readonly camel: string;
  /** PascalCase, likewise: modules and types */
  readonly pascal: string;
}

/** Said to whoever typed the command; needs no stack. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** @throws UsageError unless `name` is kebab-case, of at most 40 characters, and says more than "attention". */
export function operatorNames(name: string): OperatorNames {
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name) || name.length > 40) {
    const example = kebabCase(name);
    const hint = example === '' || example === name ? '' : ` Did you mean "${example}"?`;
    throw new UsageError(
      `"${name}" cannot name a package: expected kebab-case such as "dg-attention", at most 40 characters.${hint}`,
    );
  }
  const words = name.split('-');
  if (words.at(-1) === 'attention') words.pop();
  if (words.length === 0) throw new UsageError('"attention" alone says nothing about the operator.');
  const pascal = words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
  return { kebab: name, pascal, camel: pascal.charAt(0).toLowerCase() + pascal.slice(1) };
}

function kebabCase(text: string): string {
  return text
    .replace(/([a-z0-9])([A-Z])/g, '$1-$2')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^[-0-9]+|-+$/g, '')
    .slice(0, 40);
}
