import { Command, Option } from 'commander';
import { addFlags } from '../settings/flags.js';
import type { SettingName } from '../settings/table.js';
import { ageOption, bytesOption, wholeNumberOption } from './option-readers.js';

const FLAGS: readonly SettingName[] = ['store', 'project', 'config'];
type Ends = (exitCode: number) => void;

/** `routine cache` */
export function cacheCommand(ends: Ends): Command {
  const command = new Command('cache').description('Looks into the store of results, and after it.');
  for (const make of [lsCommand, whyCommand, rmCommand, gcCommand, verifyCommand])
    command.addCommand(addFlags(make(ends), FLAGS));
  return command;
}

function lsCommand(ends: Ends): Command {
  const command = new Command('ls')
    .description('Lists stored results, the newest first.')
    .option('--routine <pattern>', 'only those of a routine; parts of the id may be missing')
    .option('--limit <number>', 'the most that are listed, default 100', wholeNumberOption)
    .option('--json', 'prints a JSON array');
  return command.action(async () => {
    const { listResults } = await import('../store/list-results.js');
    ends(await listResults(command.opts()));
  });
}

function whyCommand(ends: Ends): Command {
  const command = new Command('why')
    .description('Says whether a call would be answered from the store, and if not, what differs.')
    .argument('<routine>', 'file that defines it, or its id in one of modules')
    .option('--routine <name>', 'which one of the file: the name of its export, or a routine id')
    .addOption(
      new Option('--args <json>', 'arguments: a JSON array with one item for each').conflicts('argsFile'),
    )
    .option('--args-file <file>', 'the same from a file, or - for standard input')
    .option('--json', 'prints a JSON object')
    .allowUnknownOption()
    .allowExcessArguments();
  return command.action(async (target: string) => {
    const { explainCall } = await import('../store/explain-call.js');
    ends(await explainCall(target, command.args.slice(1), command.opts()));
  });
}

function rmCommand(ends: Ends): Command {
  const command = new Command('rm')
    .description('Forgets results, and prints the keys of those that were there.')
    .argument('[keys...]', 'keys, as routine cache ls lists them')
    .option('--routine <pattern...>', 'in place of keys: all of a routine that are not pinned')
    .option('--dry-run', 'says what would go')
    .option('--json', 'with --routine: prints a JSON object');
  return command.action(async (keys: readonly string[]) => {
    const { removeResults } = await import('../store/remove-results.js');
    ends(await removeResults(keys, command.opts()));
  });
}

function gcCommand(ends: Ends): Command {
  const command = new Command('gc')
    .description('Deletes results, the oldest first, until bounds hold, and what no result needs any more.')
    .option('--max-bytes <size>', 'what may stay in all, such as 10G', bytesOption)
    .option('--max-items <number>', 'how many results may stay', wholeNumberOption)
    .option('--max-age <time>', 'how old results may be, such as 30d', ageOption)
    .option('--routine <pattern...>', 'only results of these routines go, and count')
    .option('--dry-run', 'says what would go')
    .option('--json', 'prints a JSON object');
  return command.action(async () => {
    const { collect } = await import('../store/remove-results.js');
    ends(await collect(command.opts()));
  });
}

function verifyCommand(ends: Ends): Command {
  const command = new Command('verify')
    .description('Reads everything that is stored; what is damaged is put aside, to be computed anew.')
    .option('--json', 'prints a JSON object');
  return command.action(async () => {
    const { verifyResults } = await import('../store/verify-results.js');
    ends(await verifyResults(command.opts()));
  });
}
