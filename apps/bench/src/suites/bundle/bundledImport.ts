/** What an application imports from one package. */
export interface BundledImport {
  /** `structsa StructSelfAttention`, as the budgets of `pnpm check` have it */
  readonly name: string;
  readonly from: string;
  readonly names: readonly string[];
  /** Uses what was imported: the same numbers must come of the bundle as of the sources. */
  run?(module: unknown): ArrayLike<number> | Promise<ArrayLike<number>>;
}

/** An import of names that exist, and something to do with them. */
export function bundledImport<M>(
  from: string,
  names: readonly (keyof M & string)[],
  run?: (module: M) => ArrayLike<number> | Promise<ArrayLike<number>>,
): BundledImport {
  return { name: nameOf(from, names), from, names, ...(run && { run: (module) => run(module as M) }) };
}

export const nameOf = (from: string, names: readonly string[]) =>
  `${from.replace('@saccade/', '')} ${names.join(', ')}`;

/** The module that an application with this import is, for a bundler. */
export const codeOf = ({ from, names }: BundledImport) => `export { ${names.join(', ')} } from '${from}';`;
