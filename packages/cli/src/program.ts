import process from 'node:process';
import { Command, CommanderError } from 'commander';
import { cacheCommand } from './commands/cache.js';
import { cancelCommand } from './commands/cancel.js';
import { complianceCommand } from './commands/compliance.js';
import { devCommand } from './commands/dev.js';
import { doctorCommand } from './commands/doctor.js';
import { infoCommand } from './commands/info.js';
import { lsCommand } from './commands/ls.js';
import { runCommand } from './commands/run.js';
import { serviceCommand } from './commands/service.js';
import { workerCommand } from './commands/worker.js';
import { EXIT } from './exit-codes.js';

const EPILOGUE = `
Settings come from flags, then ROUTINE_* in the environment, then routine.config.{ts,mts,js,mjs}, then defaults.
Exit codes: 0 done, 1 failed, 2 refused what was given, 3 no service, 4 no such routine, run or result.`;

const COMMANDS = [
  serviceCommand,
  workerCommand,
  devCommand,
  runCommand,
  lsCommand,
  infoCommand,
  cancelCommand,
  cacheCommand,
  doctorCommand,
  complianceCommand,
];

/**
 * Runs the command.
 * @param args - without the names of the runtime and of the program.
 * @returns the exit code.
 */
export async function program(args: readonly string[]): Promise<number> {
  let exitCode: number = EXIT.ok;
  const ends = (code: number): void => void (exitCode = code);
  const command = new Command('routine')
    .description('Services, workers and runs of the routine engine.')
    .addHelpText('after', EPILOGUE)
    .showHelpAfterError('(routine --help shows what there is)')
    .configureOutput({ writeErr: (text) => void process.stderr.write(text) });
  for (const make of COMMANDS) command.addCommand(make(ends));
  for (const each of withSubcommands(command)) each.exitOverride();
  try {
    await command.parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    // Late, so that help need not load it.
    const { tellFailure } = await import('./tell-failure.js');
    return tellFailure(error);
  }
}

function withSubcommands(command: Command): readonly Command[] {
  return [command, ...command.commands.flatMap(withSubcommands)];
}
