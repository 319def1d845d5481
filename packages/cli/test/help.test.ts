import { spawnSync } from 'node:child_process';
import { cp, mkdir, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { emptyDir } from './support/command.js';

const dist = fileURLToPath(new URL('../dist', import.meta.url));

it('shows help and mistakes without loading more than the reader of command lines', async () => {
  const dir = await emptyDir();
  await cp(dist, join(dir, 'dist'), { recursive: true });
  await mkdir(join(dir, 'node_modules'));
  const commander = dirname(createRequire(join(dist, 'main.js')).resolve('commander'));
  await symlink(commander, join(dir, 'node_modules/commander'));
  await cp(join(dist, '../package.json'), join(dir, 'package.json'));
  const show = (...args: string[]) =>
    spawnSync(process.execPath, [join(dir, 'dist/main.js'), ...args], { encoding: 'utf8' });
  expect(show('--help')).toMatchObject({
    status: 0,
    stdout: expect.stringContaining('worker [options]'),
    stderr: '',
  });
  expect(show('run', '--help')).toMatchObject({ status: 0, stdout: expect.stringContaining('--args-file') });
  expect(show('run')).toMatchObject({
    status: 2,
    stderr: expect.stringContaining("missing required argument 'routine'"),
  });
});
