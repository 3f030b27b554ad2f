import { CheckFailure } from '../runner.ts';

/** What a reader of a README is told to do first. */
export interface ReadmeExample {
  /** Package names of the first `npm install` line. */
  readonly install: readonly string[];
  /** Code of the first TypeScript or JavaScript block. */
  readonly code: string;
}

/** @throws CheckFailure if the README has no `npm install` line or no code block. */
export function firstExample(readme: string): ReadmeExample {
  const blocks = [...readme.matchAll(/^```(\w+)[^\n]*\n(.*?)^```/gms)].map(([, language, body]) => ({
    language: language!,
    body: body!,
  }));
  const shellLines = blocks
    .filter((b) => /^(sh|bash|shell|console)$/.test(b.language))
    .flatMap((b) => b.body.split('\n'));
  const install = shellLines.map((line) => /^\$?\s*npm (?:install|i)\s+(.+)$/.exec(line.trim())?.[1]).find(Boolean);
  const code = blocks.find((b) => /^(ts|typescript|js|javascript)$/.test(b.language))?.body;
  if (!install) throw new CheckFailure('The README has no `npm install ...` line in a ```sh block.');
  if (!code) throw new CheckFailure('The README has no ```ts or ```js block.');
  return { install: install.split(/\s+/).filter((word) => !word.startsWith('-')), code };
}
