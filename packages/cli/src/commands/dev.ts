import { Command, InvalidArgumentError } from 'commander';
import { addFlags } from '../settings/flags.js';
import type { SettingName } from '../settings/table.js';

const FLAGS: readonly SettingName[] = ['port', 'tokenFile', 'slots', 'store', 'project', 'config'];
const MOST_WORKERS = 64;

/** `routine dev` */
export function devCommand(ends: (exitCode: number) => void): Command {
  const command = new Command('dev')
    .description('Runs a service and workers on this machine, which start anew when a source is saved.')
    .argument('<file>', 'module that defines routines')
    .option('-w, --workers <number>', 'how many workers, each a process of its own', workersOption, 2);
  return addFlags(command, FLAGS).action(async (file: string) => {
    const { dev } = await import('../dev/dev.js');
    ends(await dev(file, command.opts()));
  });
}

function workersOption(text: string): number {
  const workers = Number(text);
  if (/^\d{1,3}$/.test(text) && workers >= 1 && workers <= MOST_WORKERS) return workers;
  throw new InvalidArgumentError(`It must be a whole number from 1 to ${MOST_WORKERS}.`);
}
