// `pnpm --filter @saccade/bench run build:page`
import { buildPage, pageFolder } from './build.node.ts';

await buildPage();
console.log(`The page is in ${pageFolder}; put that folder on any server of files.`);
