import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { emptyDir, routine, ROUTINES, startService, startWorker } from './support/command.js';

const TOKEN = 'a-secret-token-of-good-length';

interface Report {
  readonly settings: readonly { readonly name: string; readonly value: unknown; readonly source: string }[];
}

describe('routine doctor', () => {
  it('tells settings with their sources, the composed parts, and that they work', async () => {
    const cwd = await emptyDir();
    const config = { project: 'news', modules: [ROUTINES], store: 'kept', slots: 3 };
    await writeFile(join(cwd, 'routine.config.mjs'), `export default ${JSON.stringify(config)};`);
    const env = { ROUTINE_TOKEN: TOKEN, ROUTINE_SLOTS: '2' };
    const { url } = await startService({ env });
    await startWorker(url, ['--slots', '2'], { env });
    const args = ['doctor', '--json', '--url', `${url}?key=${TOKEN}`, '--port', '0'];
    const { code, stdout, stderr } = await routine(args, { cwd, env });
    const report = JSON.parse(stdout) as Report;
    const sources = new Map(report.settings.map(({ name, value, source }) => [name, { value, source }]));
    expect(sources.get('project')).toEqual({ value: 'news', source: 'routine.config.mjs' });
    expect(sources.get('slots')).toEqual({ value: 2, source: 'ROUTINE_SLOTS' });
    expect(sources.get('port')).toEqual({ value: 0, source: '--port' });
    expect(sources.get('host')).toEqual({ value: '127.0.0.1', source: 'default' });
    expect(sources.get('store')).toEqual({ value: join(cwd, 'kept'), source: 'routine.config.mjs' });
    expect(sources.get('url')).toEqual({ value: url, source: '--url' });
    expect(sources.get('token')).toEqual({ value: 'set, not shown', source: 'ROUTINE_TOKEN' });
    expect(report).toMatchObject({
      node: process.version,
      packages: { '@routine-engine/core': expect.stringMatching(/^\d+\.\d+\.\d+/) },
      configuration: join(cwd, 'routine.config.mjs'),
      parts: [
        { part: 'store', name: 'fs', capabilities: { durable: true, leases: true } },
        { part: 'codec', name: 'msgpackr-1' },
        { part: 'transport', name: 'ws', capabilities: { ordered: true } },
      ],
      checks: [
        { name: 'configuration', status: 'ok' },
        { name: 'settings', status: 'ok' },
        { name: 'modules', status: 'ok', detail: expect.stringMatching(/^1 modules export \d+ routines$/) },
        { name: 'store', status: 'ok' },
        { name: 'service', status: 'ok', detail: 'answers, and has 1 workers with 2 slots' },
      ],
    });
    expect(code).toBe(0);
    expect(stdout + stderr).not.toContain(TOKEN);
  });

  it.each<[string, readonly string[], string, RegExp]>([
    ['a setting', ['--port', 'x'], 'settings', /--port must be a whole number/],
    ['a configuration', ['--config', '/no/such.ts'], 'configuration', /no configuration file/],
    ['a store', ['--store', '/dev/null/results'], 'store', /\/dev\/null/],
    ['a service', ['--url', 'ws://127.0.0.1:1/'], 'service', /TRANSPORT_UNREACHABLE/],
    [
      'a token file',
      ['--url', 'ws://127.0.0.1:1/', '--token-file', '/no/such'],
      'service',
      /can't be read: ENOENT/,
    ],
  ])('finds %s that does not work', async (_what, flags, name, detail) => {
    const cwd = await emptyDir();
    const ended = await routine(['doctor', '--json', '--store', 'memory', ...flags], { cwd });
    expect(ended).toMatchObject({ code: 1, stderr: '' });
    const { checks } = JSON.parse(ended.stdout) as { readonly checks: readonly object[] };
    expect(checks).toContainEqual({ name, status: 'failed', detail: expect.stringMatching(detail) });
  });

  it('shows people the same as tables', async () => {
    const ended = await routine(['doctor', '--store', 'memory'], { cwd: await emptyDir() });
    expect(ended.code).toBe(0);
    expect(ended.stdout).toMatch(/\nSETTING .*\n(?:.*\n)*token +not set\n/);
    expect(ended.stdout).toMatch(/\nservice +skipped +no url is set\n$/);
  });
});
