// `npm run bench`: installs and compiles when needed, then runs the benchmarks with the arguments given.
import process from 'node:process';
import { prepare, run } from './prepare.mjs';

prepare(['bench']);
await run('bench/dist/main.js', process.argv.slice(2));
