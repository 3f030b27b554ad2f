import { describe, expect, it } from 'vitest';
import { firstExample } from './readme.ts';

const readme = `# Title

\`\`\`sh
npm install --save @saccade/x @tensorflow/tfjs-core
\`\`\`

\`\`\`ts
const a = 1;

console.log(a);
\`\`\`

\`\`\`ts
const second = true;
\`\`\`
`;

describe('firstExample', () => {
  it('takes the first install line and the first code block', () => {
    expect(firstExample(readme)).toEqual({
      install: ['@saccade/x', '@tensorflow/tfjs-core'],
      code: 'const a = 1;\n\nconsole.log(a);\n',
    });
  });

  it.each([
    ['install line', readme.replace('npm install', 'yarn add'), /no `npm install/],
    ['code', readme.replaceAll('```ts', '```text'), /no ```ts or ```js block/],
  ])('says that the %s is missing', (_, text, message) => {
    expect(() => firstExample(text)).toThrow(message);
  });
});
