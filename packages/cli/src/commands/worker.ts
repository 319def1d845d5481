import { Command } from 'commander';
import { addFlags } from '../settings/flags.js';
import type { SettingName } from '../settings/table.js';

const FLAGS: readonly SettingName[] = [
  ...([
    'url',
    'tokenFile',
    'tlsCa',
    'allowPlaintext',
    'connectTimeoutMs',
    'slots',
    'labels',
    'graceMs',
  ] as const),
  ...(['store', 'name', 'project', 'config'] as const),
];

/** `routine worker` */
export function workerCommand(ends: (exitCode: number) => void): Command {
  const command = new Command('worker')
    .description('Runs a worker: it offers the routines of modules to a service, and runs them on threads.')
    .argument('[modules...]', 'modules that define routines, JavaScript or TypeScript (ROUTINE_MODULES)');
  return addFlags(command, FLAGS).action(async (modules: readonly string[]) => {
    const { work } = await import('../node/work.js');
    ends(await work(modules, command.opts()));
  });
}
