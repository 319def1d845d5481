import { Argument, Command, Option } from 'commander';
import { addFlags } from '../settings/flags.js';
import { SERVICE_FLAGS } from './service-flags.js';
import { wholeNumberOption } from './option-readers.js';

const STATUSES = ['PENDING', 'RUNNING', 'HANGING'];

/** `routine ls` */
export function lsCommand(ends: (exitCode: number) => void): Command {
  const command = new Command('ls')
    .description('Lists what a service knows.')
    .addArgument(new Argument('<what>', 'what to list').choices(['tasks', 'workflows', 'workers', 'runs']))
    .addOption(new Option('--status <status...>', 'runs: only these').choices(STATUSES))
    .option('--routine <pattern>', 'runs: only those of a routine; parts of the id may be missing')
    .option('--limit <number>', 'runs: the most that are listed, 1 to 1000, default 100', wholeNumberOption)
    .option('--json', 'prints a JSON array');
  return addFlags(command, SERVICE_FLAGS).action(async (what: 'tasks') => {
    const { list } = await import('../cluster/list.js');
    ends(await list(what, command.opts()));
  });
}
