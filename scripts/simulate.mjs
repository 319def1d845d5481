// `npm run simulate -- --seeds 200000 --first 1`: runs so many simulated clusters with random calls and faults, and prints
// what happened and what was violated. `--trace` prints all that happens with one seed. `--mutations` breaks core in many
// ways, one at a time, and tells with which seed the simulation noticed.
import { fork, spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { prepare, root } from './prepare.mjs';

const HARNESS = join(root, 'packages/transport-inproc/test/simulation/harness');

const { values: options } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    first: { type: 'string', default: '1' },
    processes: { type: 'string', default: String(availableParallelism()) },
    trace: { type: 'boolean', default: false },
    mutations: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
  },
});

prepare(['packages/transport-inproc']);
if (options.trace) await runTo('main.ts', ['--first', options.first, '--trace']);
else if (options.mutations) await runTo('mutate.ts', ['--seeds', options.seeds, '--only', options.only]);
else await simulateAll();

function tsx() {
  return { cwd: root, execArgv: ['--import', 'tsx', '--max-semi-space-size=32'] };
}

/** Runs a file of the harness that prints by itself, to its end. */
async function runTo(file, args) {
  const child = spawn(process.execPath, [...tsx().execArgv, join(HARNESS, file), ...args], {
    cwd: root,
    stdio: 'inherit',
  });
  process.exitCode = await new Promise((resolve) => child.once('exit', (code) => resolve(code ?? 1)));
}

async function simulateAll() {
  const total = { seeds: 0, executions: 0, events: 0, virtualMs: 0, seen: {}, injected: {}, network: {} };
  const failed = [];
  const startedAt = performance.now();
  const processes = Number(options.processes);
  const hear = (report) => {
    total.seeds += 1;
    for (const key of ['executions', 'events', 'virtualMs']) total[key] += report[key];
    for (const group of ['injected', 'network'])
      for (const [kind, count] of Object.entries(report[group]))
        total[group][kind] = (total[group][kind] ?? 0) + count;
    for (const feature of report.seen) total.seen[feature] = (total.seen[feature] ?? 0) + 1;
    if (report.violations.length > 0) tellFailure(report, failed);
    if (total.seeds % 10_000 === 0)
      process.stderr.write(`${total.seeds} seeds, ${failed.length} with violations\n`);
  };
  const ends = Array.from({ length: processes }, (_, index) => {
    const first = String(Number(options.first) + index);
    const seeds = String(Math.max(0, Number(options.seeds) - index));
    const child = fork(
      join(HARNESS, 'main.ts'),
      ['--first', first, '--seeds', seeds, '--step', String(processes)],
      tsx(),
    );
    child.on('message', hear);
    return new Promise((resolve) => child.once('exit', resolve));
  });
  const codes = await Promise.all(ends);
  const seconds = (performance.now() - startedAt) / 1000;
  console.log(textOf(total, failed, seconds));
  const isComplete = total.seeds === Number(options.seeds) && codes.every((code) => code === 0);
  if (!isComplete) console.error(`Only ${total.seeds} of ${options.seeds} seeds came to an end`);
  process.exitCode = isComplete && failed.length === 0 ? 0 : 1;
}

function tellFailure({ seed, violations }, failed) {
  failed.push(seed);
  if (failed.length > 20) return;
  console.error(`seed ${seed}: npm run simulate -- --first ${seed} --trace`);
  for (const violation of violations.slice(0, 5)) console.error(`  ${violation}`);
}

function textOf(total, failed, seconds) {
  const list = (counts) =>
    Object.entries(counts)
      .map(([kind, count]) => `${kind} ${count}`)
      .join(', ');
  const { seeds, executions, events, virtualMs, seen, injected, network } = total;
  return [
    `${seeds} seeds from ${options.first} in ${seconds.toFixed(0)} s (${((seconds * 1000) / seeds).toFixed(1)} ms each), ${failed.length} with violations`,
    `${executions} bodies run, ${events} events, ${(virtualMs / 3_600_000).toFixed(0)} hours of virtual time`,
    `seeds with: ${list(Object.fromEntries(Object.entries(seen).toSorted(([, one], [, other]) => other - one)))}`,
    `faults: ${list(injected)}`,
    `network: ${list(network)}`,
  ].join('\n');
}
