// A module that cannot be bundled for a browser: what openModule has to say about it is tested.
import * as fs from 'node:fs';

export const exists = (path: string) => fs.existsSync(path);
