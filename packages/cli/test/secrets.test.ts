import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { emptyDir, routine, startService, startWorker } from './support/command.js';

const TOKEN = 'a-secret-token-of-good-length';
const OTHER = 'another-token-of-good-length';
const RUN = ['run', 'tname:local:scaled:1.0.0', '--args', '[1, 2]', '--store', 'memory'];

describe('a token', () => {
  it('lets in who has it, from the environment or from a file, and is never shown', async () => {
    const dir = await emptyDir();
    await writeFile(join(dir, 'token'), `${TOKEN}\n`);
    const env = { ROUTINE_TOKEN: TOKEN };
    const { command, url } = await startService({ env });
    const worker = await startWorker(url, ['--token-file', join(dir, 'token')]);
    const ended = [
      await routine([...RUN, '--url', url], { env }),
      await routine([...RUN, '--url', url], { env: { ROUTINE_TOKEN: OTHER, ROUTINE_DEBUG: '1' } }),
      await routine([...RUN, '--url', url]),
    ];
    expect(ended.map(({ code }) => code)).toEqual([0, 3, 3]);
    const said = [command, worker, ...ended].map(({ stdout, stderr }) => stdout + stderr).join('\n');
    expect(said).toContain('TRANSPORT_REFUSED');
    expect(said).not.toContain(TOKEN);
    expect(said).not.toContain(OTHER);
  });

  it('of the flag comes before that of the environment', async () => {
    const dir = await emptyDir();
    await writeFile(join(dir, 'token'), TOKEN);
    const { url } = await startService({ env: { ROUTINE_TOKEN: TOKEN } });
    const options = { env: { ROUTINE_TOKEN: OTHER } };
    const worker = await startWorker(url, ['--token-file', join(dir, 'token')], options);
    expect(worker.stderr).toContain('takes runs');
  });

  it('is not in the environment of routines', async () => {
    const env = { ROUTINE_TOKEN: TOKEN };
    const { url } = await startService({ env });
    await startWorker(url, [], { env });
    const args = ['run', 'tname:local:environment:1.0.0', '--args', '["ROUTINE_TOKEN"]', '--url', url];
    expect(await routine([...args, '--store', 'memory'], { env })).toMatchObject({ code: 0, stdout: '' });
  });

  it.each<[string, string, RegExp]>([
    ['an empty file', '\nsecond line', /first line of .*token \(--token-file\) is empty/],
    ['a token that is too short', 'hushhush', /a token has at least 16/],
  ])('that can not be used is refused, and not shown: %s', async (_what, text, message) => {
    const dir = await emptyDir();
    await writeFile(join(dir, 'token'), text);
    const ended = await routine(['service', '--port', '0', '--token-file', join(dir, 'token')]);
    expect(ended).toMatchObject({ code: 2, stderr: expect.stringMatching(message) });
    expect(ended.stderr).not.toMatch(/hushhush|second line/);
  });
});
