// `npm run chaos -- --minutes 20 --seed 1`: sweeps with `routine service`, three `routine worker`s and `routine run` as real
// processes, while they are killed, frozen and started again, and tells what was survived and what was violated. The seed says
// what befalls whom. `--network` has the network between them go wrong, too. `--keep` leaves journals and stores, `--lease-ms` changes after how long a silent worker is given up.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import process from 'node:process';
import { prepare, root } from './prepare.mjs';

prepare(['packages/cli', 'examples/spam-sweep']);
const main = join(root, 'test/compositions/chaos/main.ts');
const child = spawn(process.execPath, ['--import', 'tsx', main, ...process.argv.slice(2)], {
  cwd: root,
  stdio: 'inherit',
});
process.exitCode = await new Promise((resolve) => child.once('exit', (code) => resolve(code ?? 1)));
