import { Command } from 'commander';
import { addFlags } from '../settings/flags.js';
import { SERVICE_FLAGS } from './service-flags.js';

/** `routine cancel` */
export function cancelCommand(ends: (exitCode: number) => void): Command {
  const command = new Command('cancel')
    .description('Cancels runs with everything they called, and prints the ids of those that were in hand.')
    .argument('<run-id...>', 'ids of runs, as routine ls runs lists them')
    .option('--reason <text>', 'what the error of the run says');
  return addFlags(command, SERVICE_FLAGS).action(async (runIds: readonly string[]) => {
    const { cancel } = await import('../cluster/cancel.js');
    ends(await cancel(runIds, command.opts()));
  });
}
