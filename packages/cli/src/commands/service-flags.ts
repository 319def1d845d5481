import type { SettingName } from '../settings/table.js';

/** The settings of a command that asks a service. */
export const SERVICE_FLAGS: readonly SettingName[] = [
  ...(['url', 'tokenFile', 'tlsCa', 'allowPlaintext', 'project', 'config'] as const),
];
