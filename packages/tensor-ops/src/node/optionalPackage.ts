import { createRequire } from 'node:module';
import { BackendError } from '../backendError.ts';

const require = createRequire(import.meta.url);

/**
 * Imports an optional peer dependency.
 *
 * @param load the `import()` itself, with a literal name, so that types and bundlers see it.
 * @throws {BackendError} that names the package and the command that installs it.
 */
export async function optionalPackage<T>(backend: string, name: string, load: () => Promise<T>): Promise<T> {
  try {
    require.resolve(name);
  } catch (error) {
    throw new BackendError(backend, `the package ${name} is not installed. npm install ${name}`, { cause: error });
  }
  return load();
}

/** The path of a file inside an installed package. */
export function packageFile(path: string): string {
  return require.resolve(path);
}
