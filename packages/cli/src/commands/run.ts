import { Command, Option } from 'commander';
import { addFlags } from '../settings/flags.js';
import type { SettingName } from '../settings/table.js';

const FLAGS: readonly SettingName[] = [
  ...([
    'url',
    'tokenFile',
    'tlsCa',
    'allowPlaintext',
    'connectTimeoutMs',
    'store',
    'project',
    'config',
  ] as const),
];

const MORE = `
Arguments that begin with -- and are no option above become the properties of one object, which is the only argument:
  routine run train.ts --epochs 100 --rate 0.5     calls the routine with { epochs: 100, rate: 0.5 }
Values are read as JSON where they are, else as text.`;

/** `routine run` */
export function runCommand(ends: (exitCode: number) => void): Command {
  const command = new Command('run')
    .description(
      'Runs a routine and prints its result: on the service that --url names, else in this process.',
    )
    .argument('<routine>', 'routine id, or a file that defines it')
    .option('--routine <name>', 'which one of the file: the name of its export, or a routine id')
    .addOption(
      new Option('--args <json>', 'arguments: a JSON array with one item for each').conflicts('argsFile'),
    )
    .option('--args-file <file>', 'the same from a file, or - for standard input')
    .option('--local', 'runs everything in this process, whatever url is set')
    .option('--json', 'prints the result as one line of JSON')
    .allowUnknownOption()
    .allowExcessArguments()
    .addHelpText('after', MORE);
  return addFlags(command, FLAGS).action(async (target: string) => {
    const { run } = await import('../run/run.js');
    ends(await run(target, command.args.slice(1), command.opts()));
  });
}
