// `npm test`: installs and compiles when needed, then runs vitest with the arguments given.
import process from 'node:process';
import { prepare, root, run } from './prepare.mjs';

prepare(['.']);
process.chdir(root);
process.env.SKIP_BUILD = '1'; // done just now
await run('node_modules/vitest/vitest.mjs', ['run', ...process.argv.slice(2)]);
