// What `npm start`, `npm test` and `npm run bench` do first: they work on a fresh clone, with nothing installed.
// Plain Node without dependencies, for that reason. Notes go to stderr: stdout belongs to the program that is started.
import { spawnSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** The root of the repository, with a slash at its end. */
export const root = fileURLToPath(new URL('../', import.meta.url));

/**
 * Checks the Node version, installs dependencies and compiles, each only when needed. Ends the process when it cannot.
 * @param {readonly string[]} projects the folders with a tsconfig.json to compile, what they refer to included
 */
export function prepare(projects) {
  checkNode();
  if (modifiedAt('node_modules/.package-lock.json') < modifiedAt('package-lock.json')) {
    note('installing dependencies (npm ci) ...');
    install();
    note('compiling ...');
  }
  build(projects);
}

/**
 * Runs a program in this very process, so that it has the terminal, hears signals first-hand, sets the exit code
 * itself and costs no second Node.
 * @param {string} file below the root
 * @param {readonly string[]} args
 */
export async function run(file, args) {
  process.argv = [process.execPath, join(root, file), ...args];
  hearInterruptOnce();
  endWithNpm();
  await import(pathToFileURL(join(root, file)).href);
}

function checkNode() {
  const { engines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const wanted = engines.node.replace('>=', '').split('.').map(Number);
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > wanted[0] || (major === wanted[0] && minor >= wanted[1])) return;
  fail(`Node ${engines.node} is needed, this is ${process.versions.node}`);
}

function install() {
  // With dev dependencies, also where NODE_ENV is production: the compiler is one.
  const args = ['ci', '--include=dev', '--no-audit', '--no-fund'];
  // npm tells the scripts it runs where it is; `node scripts/start.mjs` has to look for it on the PATH.
  const npm = process.env.npm_execpath;
  const { status, error } = npm?.endsWith('.js')
    ? spawnSync(process.execPath, [npm, ...args], options())
    : spawnSync('npm', args, { ...options(), shell: process.platform === 'win32' });
  if (status !== 0) fail(`npm ci failed${reason(status, error)}`, status);
}

function build(projects) {
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const { status, error } = spawnSync(process.execPath, [tsc, '-b', ...projects], options());
  if (status !== 0) fail(`the build failed${reason(status, error)}`, status);
}

/** What children print goes to stderr as well. */
function options() {
  return { cwd: root, stdio: ['ignore', process.stderr, process.stderr] };
}

function modifiedAt(file) {
  return statSync(join(root, file), { throwIfNoEntry: false })?.mtimeMs ?? -Infinity;
}

function reason(status, error) {
  if (error) return `: ${error.message}`;
  return status === null ? ': interrupted' : ` with exit code ${status}`;
}

function note(text) {
  process.stderr.write(`routine-engine: ${text}\n`);
}

function fail(text, status) {
  note(text);
  process.exit(status || 1);
}

/**
 * A terminal sends ctrl-C to every process of the group, and npm then passes it on to its script: the program
 * would hear one key twice, and take the second for "quit at once".
 */
function hearInterruptOnce() {
  const emit = process.emit.bind(process);
  let last = -Infinity;
  process.emit = (name, ...rest) => {
    if (name === 'SIGINT') {
      const now = performance.now();
      if (now - last < 100) return true;
      last = now;
    }
    return emit(name, ...rest);
  };
}

/**
 * npm runs a script in a shell, and some shells end on a SIGTERM without passing it on. The program would stay behind
 * as an orphan: it gets that signal as soon as the shell is gone. Without npm it may outlive its parent, as with nohup.
 */
function endWithNpm() {
  if (!process.env.npm_lifecycle_event || process.platform === 'win32') return;
  const shell = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === shell) return;
    clearInterval(watch);
    process.kill(process.pid, 'SIGTERM');
  }, 250);
  watch.unref();
}
