import { Command } from 'commander';
import { ageOption } from './option-readers.js';

/** `routine compliance` */
export function complianceCommand(ends: (exitCode: number) => void): Command {
  const command = new Command('compliance')
    .description('Proves that an adapter keeps the promises of its contract, and writes a report.')
    .argument('<kit>', 'what it is: transport, result-store, codec, ...; an unknown one lists all')
    .argument('<module>', 'file whose default export is the subject of the kit, or a function that gives it')
    .option('--out <folder>', 'where compliance.json and compliance.svg go', '.')
    .option('--only <text>', 'only cases whose id begins with it, such as codec/hostile; writes no files')
    .option('--case-timeout <time>', 'how long one case may take, default 30s', ageOption)
    .option('--json', 'prints the report in place of the table');
  return command.action(async (kit: string, module: string) => {
    const { compliance } = await import('../compliance/compliance.js');
    ends(await compliance(kit, module, command.opts()));
  });
}
