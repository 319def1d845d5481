import { Command } from 'commander';
import { addFlags } from '../settings/flags.js';
import type { SettingName } from '../settings/table.js';

const FLAGS: readonly SettingName[] = [
  ...(['host', 'port', 'tokenFile', 'tlsCert', 'tlsKey', 'allowPlaintext'] as const),
  ...(['queuedRuns', 'maxDeliveries', 'name', 'project', 'config'] as const),
];

/** `routine service` */
export function serviceCommand(ends: (exitCode: number) => void): Command {
  const command = new Command('service').description(
    'Runs a service: it accepts runs of clients and finds workers for them.',
  );
  return addFlags(command, FLAGS).action(async () => {
    const { serve } = await import('../node/serve.js');
    ends(await serve(command.opts()));
  });
}
