import { Command } from 'commander';
import { addFlags } from '../settings/flags.js';
import { SERVICE_FLAGS } from './service-flags.js';

/** `routine info` */
export function infoCommand(ends: (exitCode: number) => void): Command {
  const command = new Command('info')
    .description('Tells of a cluster, or of one run, routine or worker of it.')
    .argument('[id]', 'run id, routine id or pattern, or name of a worker')
    .option('--json', 'prints a JSON object');
  return addFlags(command, SERVICE_FLAGS).action(async (id: string | undefined) => {
    const { info } = await import('../cluster/info.js');
    ends(await info(id, command.opts()));
  });
}
