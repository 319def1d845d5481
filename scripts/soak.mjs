// `npm run soak -- --minutes 60 --seed 1`: a service, two workers and a client as processes with calls of all kinds, and looks
// whether memory, handles, timers, listeners or tables grow. `--every-seconds` says how often it looks.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import process from 'node:process';
import { prepare, root } from './prepare.mjs';

prepare(['packages/transport-ws', 'packages/store-fs', 'examples/spam-sweep']);
const main = join(root, 'test/compositions/soak/main.ts');
const child = spawn(process.execPath, ['--import', 'tsx', main, ...process.argv.slice(2)], {
  cwd: root,
  stdio: 'inherit',
});
process.exitCode = await new Promise((resolve) => child.once('exit', (code) => resolve(code ?? 1)));
