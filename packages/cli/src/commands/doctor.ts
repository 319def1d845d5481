import { Command } from 'commander';
import { addFlags } from '../settings/flags.js';
import { type SettingName, SETTINGS } from '../settings/table.js';

/** `routine doctor` */
export function doctorCommand(ends: (exitCode: number) => void): Command {
  const command = new Command('doctor')
    .description('Shows settings and where they come from, the composed parts, and whether they work.')
    .option('--json', 'prints a JSON object');
  return addFlags(command, Object.keys(SETTINGS) as SettingName[]).action(async () => {
    const { doctor } = await import('../doctor/doctor.js');
    ends(await doctor(command.opts()));
  });
}
