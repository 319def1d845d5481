import { type Command, Option } from 'commander';
import { type Setting, type SettingName, SETTINGS } from './table.js';

/** Adds the flags of settings to a command. Their defaults are told, and filled in later: until then it shows what was given. */
export function addFlags(command: Command, names: readonly SettingName[]): Command {
  for (const name of names) {
    const { flag, help, env, kind, fallback }: Setting<unknown> = SETTINGS[name];
    if (flag === undefined) continue;
    const shown = ['string', 'number'].includes(typeof fallback) ? `; default ${String(fallback)}` : '';
    const option = new Option(flag, `${help} (${env}${shown})`);
    if (kind.isList)
      option.argParser((text: string, earlier?: readonly string[]) => [...(earlier ?? []), text]);
    option.attributeName = () => name;
    command.addOption(option);
  }
  return command;
}
