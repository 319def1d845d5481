#!/usr/bin/env node
import { type CliOptions, parseCommandLine, type TextOutput } from './cli.js';
import { errorText, hasCode } from './error-text.js';
import { PRESETS } from './presets.js';
import { reportText, savedModelText, summaryText } from './report.js';
import { plannedCalls } from './sweep.js';

const EXIT_FAILED = 1;
/** 128 + number of SIGINT: what shells report for a command that was interrupted. */
const EXIT_INTERRUPTED = 130;

const io: TextOutput = {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
};

async function main(options: CliOptions): Promise<number> {
  const stop = stopOnSignals();
  try {
    // Loaded late: --help and mistakes on the command line are answered at once.
    const [{ runSweep }, { liveTree, plainLines }] = await Promise.all([
      import('./run-sweep.js'),
      import('./terminal-view.js'),
    ]);
    const plan = PRESETS[options.preset];
    const expected = plannedCalls(plan);
    const display = process.stderr.isTTY ? liveTree(process.stderr, expected) : plainLines(io.err, expected);
    const setup = {
      store: options.store,
      output: options.output,
      name: options.preset,
      workers: options.local ? 0 : options.workers,
      routines: new URL('./routines.js', import.meta.url),
    };
    const { report, saved, summary, durationMs } = await runSweep(plan, setup, display, stop);
    const where = savedModelText(saved, process.cwd());
    io.out(`\n${reportText(report)}\n\n${where}\n${summaryText(summary, durationMs)}\n`);
    return 0;
  } catch (error) {
    if (stop.aborted && hasCode(error, 'RUN_CANCELLED')) {
      io.err('Stopped. What was finished is kept; start again to continue.\n');
      return EXIT_INTERRUPTED;
    }
    io.err(`${errorText(error)}\n`);
    return EXIT_FAILED;
  }
}

/** Aborts at the first SIGINT or SIGTERM, and ends the process at the second. */
function stopOnSignals(): AbortSignal {
  const controller = new AbortController();
  const stop = () => {
    if (controller.signal.aborted) process.exit(EXIT_INTERRUPTED);
    controller.abort();
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  return controller.signal;
}

const options = parseCommandLine(process.argv.slice(2), io);
process.exitCode = typeof options === 'number' ? options : await main(options);
