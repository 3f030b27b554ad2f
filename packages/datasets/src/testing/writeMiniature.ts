import { writeInstallation } from './install.ts';
import { MINIATURES } from './miniatures/index.ts';

// node --import tsx --conditions=@saccade/source src/testing/writeMiniature.ts <data set> <folder>
const [name = '', folder] = process.argv.slice(2);
const make = MINIATURES[name];
if (make === undefined || folder === undefined) {
  process.stderr.write(`Usage: writeMiniature.ts <${Object.keys(MINIATURES).join('|')}> <folder>\n`);
  process.exitCode = 2;
} else {
  const installation = await make();
  await writeInstallation(folder, installation);
  process.stdout.write(`${Object.keys(installation).length} files of ${name} in ${folder}\n`);
}
