// `npm start`: installs and compiles when needed, then runs the spam sweep with the arguments given.
import process from 'node:process';
import { prepare, run } from './prepare.mjs';

prepare(['examples/spam-sweep']);
await run('examples/spam-sweep/dist/main.js', process.argv.slice(2));
