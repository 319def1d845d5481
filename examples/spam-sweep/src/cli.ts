import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import type { PresetName } from './presets.js';

/** What was asked for on the command line. */
export interface CliOptions {
  readonly preset: PresetName;
  /** Everything in the calling thread. */
  readonly local: boolean;
  /** Threads of the embedded cluster. */
  readonly workers: number;
  /** Absolute path. */
  readonly store: string;
  /** Absolute path. */
  readonly output: string;
}

/** Where text goes; a test gives its own. */
export interface TextOutput {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
}

/** Exit code of a command line that makes no sense. */
const EXIT_USAGE = 2;

const MAX_WORKERS = 256;

/**
 * Reads the command line.
 *
 * @param args - without the names of the runtime and of the program.
 * @returns the options; or, when there is nothing left to do, the exit code: 0 after `--help`, 2 after a mistake, which has
 *   then been explained.
 */
export function parseCommandLine(args: readonly string[], io: TextOutput): CliOptions | number {
  const command = describeCommand().configureOutput({
    writeOut: (text) => io.out(text),
    writeErr: (text) => io.err(text),
  });
  try {
    command.parse(args, { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_USAGE;
    throw error;
  }
  const options = command.opts<CliOptions>();
  return { ...options, store: resolve(options.store), output: resolve(options.output) };
}

function describeCommand(): Command {
  return new Command('spam-sweep')
    .description(
      'Trains spam filters on 6,046 real mails over a grid of hyper-parameters, and saves the best one.',
    )
    .addOption(
      new Option(
        '--preset <name>',
        'how much to try: quick about 20 s on one core, default 1 min, full 7 min',
      )
        .choices(['quick', 'default', 'full'])
        .default('quick'),
    )
    .addOption(
      new Option('--local', 'run everything in one thread, without a cluster')
        .default(false)
        .conflicts('workers'),
    )
    .addOption(
      new Option(
        '--workers <n>',
        `threads of the embedded cluster (this machine has ${availableParallelism()} cores)`,
      )
        .argParser(parseWorkers)
        .default(2),
    )
    .option('--store <dir>', 'where results of tasks are kept for the next start', '.routine-engine/results')
    .option('--output <dir>', 'where the model is saved', '.routine-engine/models')
    .allowExcessArguments(false)
    .exitOverride();
}

function parseWorkers(text: string): number {
  const workers = Number(text);
  if (!/^\d+$/.test(text) || workers < 1 || workers > MAX_WORKERS) {
    throw new InvalidArgumentError(`Expected a whole number from 1 to ${MAX_WORKERS}.`);
  }
  return workers;
}
