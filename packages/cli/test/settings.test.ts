import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../src/config/load-config.js';
import type { RoutineConfig } from '../src/config/routine-config.js';
import { type GivenFlags, Settings } from '../src/settings/settings.js';
import { type Setting, SETTINGS } from '../src/settings/table.js';
import { emptyDir, routine } from './support/command.js';

function settings(
  flags: GivenFlags = {},
  environment: NodeJS.ProcessEnv = {},
  config: RoutineConfig = {},
): Settings {
  return new Settings({
    flags,
    environment,
    file: { config, file: 'routine.config.ts', dir: '/project' },
    cwd: '/here',
  });
}

describe('a setting', () => {
  it('is that of the flag, else of the environment, else of the file, else the default', () => {
    const [flags, environment, config] = [{ port: '1' }, { ROUTINE_PORT: '2' }, { port: 3 }];
    expect(settings(flags, environment, config).effective('port')).toEqual({
      ...{ value: 1, source: '--port', from: 'flag' },
    });
    expect(settings({}, environment, config).effective('port')).toEqual({
      ...{ value: 2, source: 'ROUTINE_PORT', from: 'environment' },
    });
    expect(settings({}, {}, config).effective('port')).toEqual({
      ...{ value: 3, source: 'routine.config.ts', from: 'file' },
    });
    expect(settings().effective('port')).toEqual({ value: 7700, source: 'default', from: 'default' });
  });

  it('that is empty in the environment is not set there', () => {
    expect(settings({}, { ROUTINE_PORT: '' }, { port: 3 }).get('port')).toBe(3);
  });

  it('that is a path is relative to where it was given', () => {
    expect(settings({ store: 'kept' }).get('store')).toBe('/here/kept');
    expect(settings({}, {}, { store: 'kept' }).get('store')).toBe('/project/kept');
    expect(settings({}, { ROUTINE_STORE: 'memory' }).get('store')).toBe('memory');
    expect(settings({}, { ROUTINE_MODULES: 'a.ts, b.ts' }).get('modules')).toEqual([
      '/here/a.ts',
      '/here/b.ts',
    ]);
  });

  it('may be a list, or labels', () => {
    expect(settings({ labels: ['gpu=a100', 'zone=b=c'] }).get('labels')).toEqual({
      gpu: 'a100',
      zone: 'b=c',
    });
    expect(settings({}, { ROUTINE_LABELS: 'gpu=a100,zone=' }).get('labels')).toEqual({
      gpu: 'a100',
      zone: '',
    });
    expect(settings({ allowPlaintext: true }).get('allowPlaintext')).toBe(true);
    expect(settings({}, { ROUTINE_ALLOW_PLAINTEXT: '0' }).get('allowPlaintext')).toBe(false);
  });

  it.each<[GivenFlags, NodeJS.ProcessEnv, object, RegExp]>([
    [{ port: '1.5' }, {}, {}, /^--port must be a whole number from 0 to 65535$/],
    [{}, { ROUTINE_PORT: 'http' }, {}, /^ROUTINE_PORT must be a whole number from 0 to 65535$/],
    [{}, {}, { port: '80' }, /^port in routine\.config\.ts must be a whole number from 0 to 65535$/],
  ])(
    'that does not fit is refused with its place, but not its value: %j %j %j',
    (flags, env, config, message) => {
      const get = () => settings(flags, env, config).get('port');
      expect(get).toThrow(
        expect.objectContaining({ code: 'OPTION_INVALID', message: expect.stringMatching(message) }),
      );
    },
  );

  it('is in the table of docs/cli.md, with its flag and variable', async () => {
    const page = await readFile(new URL('../../../docs/cli.md', import.meta.url), 'utf8');
    for (const [name, { flag, env }] of Object.entries<Setting<unknown>>(SETTINGS)) {
      const row = page.split('\n').find((line) => line.startsWith(`| \`${name}\``));
      expect(row).toContain(`\`${env}\``);
      expect(row).toContain(flag === undefined ? 'arguments of' : `\`${flag.split(' ')[0]}\``);
    }
  });
});

describe('a configuration file', () => {
  it('is looked for in the folder, and there need be none', async () => {
    const dir = await emptyDir();
    expect(await loadConfig(undefined, dir)).toBeUndefined();
    await writeFile(join(dir, 'routine.config.mjs'), "export default { project: 'here' };");
    expect(await loadConfig(undefined, dir)).toEqual({
      ...{ config: { project: 'here' }, file: 'routine.config.mjs', dir },
    });
  });

  it.each<[string, string, RegExp]>([
    ['without a default export', 'export const project = 1;', /must export its configuration/],
    [
      'with an option that there is not',
      'export default { prot: 1 };',
      /has no option prot; there are project, name, url/,
    ],
    ['with plugins that are no list', 'export default { plugins: {} };', /must have a list of plugins/],
    [
      'with a pulse that never comes',
      'export default { heartbeat: { leaseMs: 0 } };',
      /must have milliseconds above 0 in heartbeat/,
    ],
    ['that does not load', 'throw new Error("of its own");', /could not be loaded: of its own/],
  ])('is refused %s', async (_what, text, message) => {
    const dir = await emptyDir();
    await writeFile(join(dir, 'routine.config.mjs'), text);
    await expect(loadConfig(undefined, dir)).rejects.toThrow(message);
  });

  it('that is named and is not there is refused', async () => {
    const ended = await routine(['run', 'wfname:any', '--config', '/no/such.ts']);
    expect(ended).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('There is no configuration file'),
    });
  });
});
