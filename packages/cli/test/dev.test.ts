import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { SourceWatch } from '../src/dev/source-watch.js';
import { emptyDir, routine, RunningCommand } from './support/command.js';

const module = (answer: string): string => `
import { define } from '@routine-engine/core';
import { answer } from './parts/answer.js';
export const told = define.task({ name: 'told', version: '1.0.0-dev', cache: false }, () => ({ answer: answer(), pid: process.pid, by: '${answer}' }));
`;

async function project(): Promise<string> {
  const cwd = await emptyDir();
  await symlink(fileURLToPath(new URL('../../../node_modules', import.meta.url)), join(cwd, 'node_modules'));
  await mkdir(join(cwd, 'parts'));
  await writeFile(join(cwd, 'parts/answer.ts'), 'export const answer = (): number => 1;');
  await writeFile(join(cwd, 'routines.ts'), module('first'));
  return cwd;
}

/** As soon as there is a worker that took runs so many times. */
const ready = (command: RunningCommand, times: number): Promise<unknown> =>
  command.prints('stderr', new RegExp(`(?:[^]*takes runs){${times}}`));

describe('routine dev', () => {
  it(
    'runs a service and workers, which start anew when a source is saved, and all end with it',
    { timeout: 90_000 },
    async () => {
      const cwd = await project();
      const command = new RunningCommand(
        ['dev', 'routines.ts', '-w', '1', '--port', '0', '--store', 'memory'],
        { cwd },
      );
      const [url] = await command.prints('stdout', /ws:\S+(?=\n)/);
      await ready(command, 1);
      const ask = async () => {
        const ended = await routine([
          'run',
          'tname:local:told:1.0.0-dev',
          '--url',
          url,
          '--json',
          '--store',
          'memory',
        ]);
        return JSON.parse(ended.stdout) as {
          readonly answer: number;
          readonly by: string;
          readonly pid: number;
        };
      };
      const first = await ask();
      expect(first).toMatchObject({ answer: 1, by: 'first' });
      await writeFile(join(cwd, 'parts/answer.ts'), 'export const answer = (): number => 2;');
      await ready(command, 2);
      const second = await ask();
      expect(second).toMatchObject({ answer: 2, by: 'first' });
      expect(second.pid).not.toBe(first.pid);
      await writeFile(join(cwd, 'routines.ts'), 'this is no program');
      await command.prints('stderr', /ROUTINE_MODULE_FAILED[^]*dev-1 ended by itself \(2\)/);
      await writeFile(join(cwd, 'routines.ts'), module('third'));
      await ready(command, 3);
      const third = await ask();
      expect(third).toMatchObject({ answer: 2, by: 'third' });
      command.child.kill('SIGTERM');
      expect(await command.ended).toMatchObject({ code: 0, stdout: `${url}\n` });
      expect(() => process.kill(third.pid, 0)).toThrow('ESRCH');
    },
  );

  it('takes its workers with it when it is killed', async () => {
    const cwd = await project();
    const command = new RunningCommand(
      ['dev', 'routines.ts', '-w', '1', '--port', '0', '--store', 'memory'],
      { cwd },
    );
    await ready(command, 1);
    command.child.kill('SIGKILL');
    // The worker has its standard error too: it ends when the worker does.
    expect(await command.ended).toMatchObject({
      signal: 'SIGKILL',
      stderr: expect.stringContaining('takes no more runs'),
    });
  });

  it.each<[readonly string[], RegExp]>([
    [['none.ts'], /There is no module .*none\.ts/],
    [['-w', '0', 'routines.ts'], /It must be a whole number from 1 to 64/],
  ])('%j ends with 2 and says why', async (args, message) => {
    const ended = await routine(['dev', '--port', '0', ...args], { cwd: await emptyDir() });
    expect(ended).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(message) });
  });
});

describe('a watch of sources', () => {
  it('hears of folders that are new, and not of what is no source, installed or hidden', async () => {
    const dir = await emptyDir();
    await mkdir(join(dir, 'node_modules'));
    let changes = 0;
    let heard: (() => void) | undefined;
    const watch = await SourceWatch.open(dir, () => {
      changes += 1;
      heard?.();
    });
    const change = async (path: string, text: string): Promise<void> => {
      const hears = new Promise<void>((resolve) => (heard = resolve));
      await writeFile(join(dir, path), text);
      await hears;
    };
    await writeFile(join(dir, 'node_modules/a.js'), '1');
    await writeFile(join(dir, '.hidden.ts'), '1');
    await writeFile(join(dir, 'result.bin'), '1');
    await change('a.ts', '1');
    await mkdir(join(dir, 'new'));
    await change('b.ts', '1');
    await change('new/c.ts', '1');
    expect(changes).toBe(3);
    watch.close();
  });
});
